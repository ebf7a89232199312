import { flushCompileCache } from "node:module";

export interface ChildProcess {
  /** SIGTERM, or the parent died: end, then exit. */
  stop: () => Promise<void>;
  /** Words of the parent that only this kind of child knows. */
  commands?: Record<string, () => Promise<void>>;
  /** The parent died: what is waited for before the end. */
  orphaned?: () => Promise<void>;
}

/** How a child of the parent lives: it ends on SIGTERM, on a command, and when its parent is gone. */
export function runChild({ stop, commands = {}, orphaned = async () => {} }: ChildProcess): void {
  let isEnding = false;

  function end(act: () => Promise<void>): void {
    act().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${String(error)}\n`);
        process.exit(1);
      },
    );
  }

  function endOnce(): void {
    if (isEnding) return;
    isEnding = true;
    end(stop);
  }

  process.on("SIGTERM", endOnce);
  process.on("SIGINT", endOnce);
  process.on("disconnect", () => void orphaned().then(endOnce, endOnce));
  process.on("message", (message) => {
    const command = typeof message === "string" ? commands[message] : undefined;
    if (!command) return;
    isEnding = true;
    end(command);
  });
  // Kept for the next start: stripping the types again would cost each process 16 MB and 50 ms.
  flushCompileCache();
}
