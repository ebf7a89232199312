const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Standard Webhooks 1.0.0, "Deliverability and reliability": about three days in all. */
const PAUSES_MS = [
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  ...[2, 5, 10, 14, 20, 24].map((hours) => hours * HOUR_MS),
];
/** Later by up to this share, so that what failed together is not tried again together. */
const JITTER = 0.2;
const RETRY_AFTER_LIMIT_MS = 24 * HOUR_MS;

/**
 * How long to wait after so many failed attempts; null when there is no further one. `chance` is from 0 to 1.
 */
export function pauseMs(
  attempts: number,
  { chance, retryAfterMs }: { chance: number; retryAfterMs: number | null },
): number | null {
  const plainMs = PAUSES_MS[attempts - 1];
  if (plainMs === undefined) return null;
  return Math.max(Math.round(plainMs * (1 + JITTER * chance)), retryAfterMs ?? 0);
}

/** The header Retry-After (RFC 9110, section 10.2.3) as a pause, at most a day; null when it says nothing. */
export function readRetryAfter(header: string | null, now: Date): number | null {
  if (header === null) return null;
  const ms = /^\d+$/.test(header) ? Number(header) * SECOND_MS : Date.parse(header) - now.getTime();
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), RETRY_AFTER_LIMIT_MS);
}

/** So many messages on one subject go out at once within a channel's `groupWithin`: a problem and its end. */
export const BURST = 2;

/**
 * Until when a message is held back, given when the newest on its subject were due, the
 * newest first; null when it goes at once. What follows meanwhile is merged into it.
 */
export function heldUntil(
  due: readonly Date[],
  { now, withinMs }: { now: Date; withinMs: number },
): Date | null {
  const oldest = due[BURST - 1];
  if (!oldest) return null;
  const until = new Date(oldest.getTime() + withinMs);
  return until > now ? until : null;
}
