import { flushCompileCache } from "node:module";

/** A child's word to its parent: start another in my place; until it stands there I serve. */
export const HAND_OVER = "hand-over";
/** The parent's answer when nobody is to follow, and its word to whoever should end now. */
export const STOP = "stop";

export interface ChildProcess {
  /** SIGTERM, or the parent died: end, then exit. */
  stop: () => Promise<void>;
  /** Words of the parent that only this kind of child knows. */
  commands?: Record<string, () => Promise<void>>;
  /** The parent died: what is waited for before the end. */
  orphaned?: () => Promise<void>;
  /** SIGTERM while the parent lives: asks for a successor, and resolves when it is there or does not come. */
  succeeded?: (ask: () => void) => Promise<void>;
}

/** How a child of the parent lives: it ends on SIGTERM, on a command, and when its parent is gone. */
export function runChild({ stop, commands = {}, orphaned = async () => {}, succeeded }: ChildProcess): void {
  let isEnding = false;
  let isLeaving = false;

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

  function leave(): void {
    // Asked a second time, somebody does not want to wait.
    if (!succeeded || !process.connected || isLeaving) return endOnce();
    isLeaving = true;
    void succeeded(() => process.send?.(HAND_OVER)).then(endOnce, endOnce);
  }

  process.on("SIGTERM", leave);
  process.on("SIGINT", endOnce);
  process.on("disconnect", () => void orphaned().then(endOnce, endOnce));
  process.on("message", (message) => {
    if (message === STOP) return endOnce();
    const command = typeof message === "string" ? commands[message] : undefined;
    if (!command) return;
    isEnding = true;
    end(command);
  });
  // Kept for the next start: stripping the types again would cost each process 16 MB and 50 ms.
  flushCompileCache();
}
