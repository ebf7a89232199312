import { isatty } from "node:tty";
import { destination, pino } from "pino";
import type { Logger } from "pino";
import { prettyFactory } from "pino-pretty";
import type { Clock } from "./clock.ts";
import { cleanForLog } from "./redact.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
/** "auto": pretty when standard output is a terminal, else JSON lines. */
export const LOG_FORMATS = ["auto", "json", "pretty"] as const;
export type LogFields = Record<string, unknown>;

/** Messages are constant; whatever varies is a field. Secrets are masked in fields at any depth. */
export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A log whose every line carries these fields too. */
  child(fields: LogFields): Log;
}

export interface RootLog extends Log {
  /** Writes out what is still in memory; to be called before the process exits. */
  flush(): void;
}

export interface LogOptions {
  clock: Clock;
  level: LogLevel;
  format: (typeof LOG_FORMATS)[number];
  /** Takes each line; standard output unless given. */
  write?: (line: string) => void;
}

const UNREAD_LIMIT_BYTES = 16 * 1024 ** 2;
const STANDARD_OUTPUT = 1;

/** The log of this process: one JSON document per line, or coloured text for people. */
export function createLog({ clock, level, format, write }: LogOptions): RootLog {
  const onTerminal = write === undefined && isatty(STANDARD_OUTPUT);
  const isPretty = format === "pretty" || (format === "auto" && onTerminal);
  const prettify = isPretty ? createPrettifier(onTerminal) : null;
  const output = write ? { write, flush: () => {} } : openStandardOutput(reportLost);
  const logger = pino(
    {
      level,
      messageKey: "message",
      base: null,
      timestamp: () => `,"time":"${clock.now().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => output.write(prettify ? prettify(line) : line) },
  );
  const log = wrap(logger);
  return { ...log, flush: output.flush };

  function reportLost(lines: number): void {
    log.warn({ lines }, "log lines lost: they came faster than they were read");
  }
}

/** With fields it is a child, made when it writes its first line: that of most requests writes none. */
function wrap(parent: Logger, fields: LogFields | null = null): Log {
  let own = fields === null ? parent : null;
  const logger = (): Logger => (own ??= parent.child(cleanRecord(fields ?? {})));
  return {
    debug: (line, message) => write("debug", line, message),
    info: (line, message) => write("info", line, message),
    warn: (line, message) => write("warn", line, message),
    error: (line, message) => write("error", line, message),
    child: (more) => wrap(logger(), more),
  };

  function write(level: LogLevel, line: LogFields, message: string): void {
    if (parent.isLevelEnabled(level)) logger()[level](cleanRecord(line), message);
  }
}

/** Logging never throws: fields with a getter that does are named instead of shown. */
function cleanRecord(fields: LogFields): object {
  try {
    const cleaned = cleanForLog(fields);
    return typeof cleaned === "object" && cleaned !== null ? cleaned : {};
  } catch (error) {
    return { unloggable: error instanceof Error ? error.message : "fields" };
  }
}

/**
 * Never waits for a slow reader: lines queue in memory; beyond the limit they are lost, which is then said.
 */
function openStandardOutput(onLost: (lines: number) => void) {
  let lost = 0;
  const stream = destination({
    dest: STANDARD_OUTPUT,
    sync: false,
    minLength: 0,
    maxLength: UNREAD_LIMIT_BYTES,
  });
  stream.on("drop", () => (lost += 1));
  stream.on("drain", () => {
    if (lost === 0) return;
    const lines = lost;
    lost = 0;
    onLost(lines);
  });
  return { write: (line: string) => void stream.write(line), flush: () => stream.flushSync() };
}

function createPrettifier(colorize: boolean): (line: string) => string {
  const prettify = prettyFactory({ colorize, messageKey: "message", translateTime: "SYS:HH:MM:ss.l" });
  return (line) => prettify(line) ?? line;
}
