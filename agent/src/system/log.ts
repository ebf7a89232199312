/** Writes one line: the data as fields, and what happened in constant words. */
export interface Log {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

/** JSON lines of the same shape as the server's, without the weight of a logging library. */
export function createLog(part: string, write: (line: string) => void): Log {
  function line(level: string, fields: Record<string, unknown>, message: string): void {
    write(`${JSON.stringify({ level, time: new Date().toISOString(), part, ...fields, message })}\n`);
  }
  return {
    info: (fields, message) => line("info", fields, message),
    warn: (fields, message) => line("warn", fields, message),
    error: (fields, message) => line("error", fields, message),
  };
}
