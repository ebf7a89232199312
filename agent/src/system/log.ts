/** Writes one line: what happened, in constant words, and its data as fields. */
export interface Log {
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

const LEVELS = { info: 30, warn: 40, error: 50 } as const;

/** JSON lines as pino writes them, without its weight. */
export function createLog(name: string, write: (line: string) => void): Log {
  function line(level: keyof typeof LEVELS, message: string, fields: Record<string, unknown> = {}): void {
    write(`${JSON.stringify({ level: LEVELS[level], time: Date.now(), name, ...fields, msg: message })}\n`);
  }
  return {
    info: (message, fields) => line("info", message, fields),
    warn: (message, fields) => line("warn", message, fields),
    error: (message, fields) => line("error", message, fields),
  };
}
