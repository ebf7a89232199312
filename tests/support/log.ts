import type { Log, LogFields, LogLevel } from "../../server/src/kernel/log.ts";

/** A log that nobody reads. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silentLog };

export interface RecordedLine {
  level: LogLevel;
  fields: LogFields;
  message: string;
}

/** A log that keeps its lines for the test to look at. */
export function createRecordingLog(): Log & { lines: RecordedLine[] } {
  const lines: RecordedLine[] = [];
  const write = (level: LogLevel) => (fields: LogFields, message: string) =>
    void lines.push({ level, fields, message });
  const log = {
    lines,
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    child: () => log,
  };
  return log;
}
