export interface SessionTimes {
  lastUsedAt: Date;
  /** When it ends in any case. */
  expiresAt: Date;
}

/** The time of last use is written no more often than this. */
export const USE_NOTED_MS = 60_000;

/** Whether a session still counts: neither too old nor too long unused. */
export function isAlive({ lastUsedAt, expiresAt }: SessionTimes, nowMs: number, idleMs: number): boolean {
  return nowMs < expiresAt.getTime() && nowMs - lastUsedAt.getTime() < idleMs;
}
