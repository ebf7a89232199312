/** Attempts to log in to one account, or to pass its second factor. */
export interface Attempts {
  failures: number;
  lastAtMs: number;
}

export interface DelayRules {
  /** So many failures cost no wait. */
  freeFailures: number;
  firstMs: number;
  /** A stranger can make the owner wait so long, and no longer. */
  longestMs: number;
  /** After so long without an attempt, all is forgotten. */
  forgetMs: number;
}

export const DELAY_RULES: DelayRules = {
  freeFailures: 4,
  firstMs: 1_000,
  longestMs: 5 * 60_000,
  forgetMs: 24 * 3_600_000,
};

/**
 * How long is still to be waited before the next attempt. The delay doubles with each failure, up to a limit: no
 * account is ever locked, as that would let strangers lock people out (OWASP Authentication Cheat Sheet).
 */
export function waitMs(attempts: Attempts | null, nowMs: number, rules = DELAY_RULES): number {
  if (attempts === null || nowMs - attempts.lastAtMs >= rules.forgetMs) return 0;
  const counted = attempts.failures - rules.freeFailures;
  if (counted < 0) return 0;
  const delayMs = Math.min(rules.longestMs, rules.firstMs * 2 ** Math.min(counted, 40));
  return Math.max(0, attempts.lastAtMs + delayMs - nowMs);
}

/** The attempts with one more, which counts as failed until it is known better. */
export function withAttempt(attempts: Attempts | null, nowMs: number, rules = DELAY_RULES): Attempts {
  const isForgotten = attempts === null || nowMs - attempts.lastAtMs >= rules.forgetMs;
  return { failures: isForgotten ? 1 : attempts.failures + 1, lastAtMs: nowMs };
}
