export interface SessionTimes {
  lastUsedAt: Date;
  /** When it ends in any case. */
  expiresAt: Date;
}

/** How long a second factor, once confirmed, stands for its owner. */
export const STEP_UP_MS = 5 * 60_000;
/** The time of last use is written no more often than this. */
export const USE_NOTED_MS = 60_000;

/** Whether a session still counts: neither too old nor too long unused. */
export function isAlive({ lastUsedAt, expiresAt }: SessionTimes, nowMs: number, idleMs: number): boolean {
  return nowMs < expiresAt.getTime() && nowMs - lastUsedAt.getTime() < idleMs;
}

/** Whether the last step-up is fresh enough for what demands one. */
export function isSteppedUp(steppedUpAt: Date | null, nowMs: number): boolean {
  if (steppedUpAt === null) return false;
  const ageMs = nowMs - steppedUpAt.getTime();
  return ageMs >= 0 && ageMs <= STEP_UP_MS;
}
