import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * What lies on disk about a command that may run only once: that it was begun, and how it ended. Both
 * outlive the agent, so that the next one neither runs it again nor loses its exit code.
 */
export interface Once {
  /** Marks it as begun; false when it was begun before, by whatever agent. */
  begin(): boolean;
  /** Where its exit code is written. */
  exitFile: string;
  /** Null while it runs, and when it ended without a trace (the machine died, say). */
  exitCode(): number | null;
}

export function createOnce(logDirectory: string): Once {
  const begunFile = join(logDirectory, "begun");
  const exitFile = join(logDirectory, "exit");
  return {
    exitFile,
    begin() {
      if (existsSync(begunFile)) return false;
      mkdirSync(logDirectory, { recursive: true });
      const file = openSync(begunFile, "w", 0o600);
      fsyncSync(file);
      closeSync(file);
      return true;
    },
    exitCode() {
      if (!existsSync(exitFile)) return null;
      const text = readFileSync(exitFile, "utf8").trim();
      return /^\d+$/.test(text) ? Number(text) : null;
    },
  };
}
