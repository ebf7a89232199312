/** Consecutive answers of 200 until an instance gets traffic, and failures until it gets none. */
export const READY_AFTER_PASSES = 3;
const UNREADY_AFTER_FAILURES = 3;

export interface Health {
  state: "starting" | "ready" | "unready";
  passes: number;
  failures: number;
  lastError: string | null;
}

export const UNKNOWN_HEALTH: Health = { state: "starting", passes: 0, failures: 0, lastError: null };

/** What one more probe makes of an instance's health; `error` is null when it passed. */
export function judgeProbe(health: Health, error: string | null, readyAfterPasses: number): Health {
  if (error === null) {
    const passes = health.passes + 1;
    const state = passes >= readyAfterPasses ? "ready" : health.state;
    return { state, passes, failures: 0, lastError: null };
  }
  const failures = health.failures + 1;
  const isUnready = health.state === "ready" && failures >= UNREADY_AFTER_FAILURES;
  return { state: isUnready ? "unready" : health.state, passes: 0, failures, lastError: error };
}
