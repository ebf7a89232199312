/** Writes one line: the data as fields, and what happened in constant words. */
export interface Log {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

interface Line {
  level: string;
  time: string;
  part: string;
  fields: Record<string, unknown>;
  message: string;
}

/**
 * JSON lines of the same shape as the server's, without the
 * weight of a logging library; for people on a terminal, text.
 */
export function createLog(part: string, write: (line: string) => void, isTerminal = false): Log {
  const render = isTerminal ? renderText : renderJson;
  function line(level: string, fields: Record<string, unknown>, message: string): void {
    write(`${render({ level, time: new Date().toISOString(), part, fields, message })}\n`);
  }
  return {
    info: (fields, message) => line("info", fields, message),
    warn: (fields, message) => line("warn", fields, message),
    error: (fields, message) => line("error", fields, message),
  };
}

function renderJson({ level, time, part, fields, message }: Line): string {
  return JSON.stringify({ level, time, part, ...fields, message });
}

function renderText({ level, time, part, fields, message }: Line): string {
  const values = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return [`[${time.slice(11, 23)}]`, level.toUpperCase(), `${part}: ${message}`, ...values].join(" ");
}
