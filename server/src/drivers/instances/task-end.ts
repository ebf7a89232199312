import { formatDuration, formatSize, type ObservedInstance } from "@mainstay/api";
import type { TaskEnd } from "../../core/services/index.ts";

/** Whether a command that runs once has run. */
export function isOver({ state, lastExit }: ObservedInstance): boolean {
  return state === "exited" && lastExit !== null;
}

/** How a command that runs once has ended, in words. */
export function endOf(
  { lastExit }: Pick<ObservedInstance, "lastExit">,
  { timeoutMs, attempt }: { timeoutMs: number; attempt?: number },
): Omit<TaskEnd, "output"> {
  const { code: exitCode = null, signal = null, cause, limitBytes = 0 } = lastExit ?? {};
  const failed = (reason: string): Omit<TaskEnd, "output"> => ({ state: "failed", exitCode, reason });
  if (cause === "timeout") return failed(`it was ended after ${formatDuration(timeoutMs)}, its time limit`);
  if (cause === "memory") return failed(`it was killed for exceeding ${formatSize(limitBytes)}`);
  if (cause === "lost") {
    const which = attempt === undefined ? "" : ` (attempt ${attempt})`;
    return { state: "lost", exitCode: null, reason: `nobody saw it end${which}` };
  }
  if (exitCode === 0) return { state: "succeeded", exitCode, reason: null };
  return failed(signal ? `it was ended by the signal ${signal}` : `exit code ${exitCode}`);
}
