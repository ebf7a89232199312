/** So many at once, and then one each `emissionMs`. */
export interface GcraRules {
  burst: number;
  emissionMs: number;
}

export interface GcraVerdict {
  isAllowed: boolean;
  /** The theoretical arrival time to be kept. */
  tatMs: number;
  remaining: number;
  /** Until one more is allowed; 0 if one is. */
  retryAfterMs: number;
  /** Until the whole burst is there again. */
  resetMs: number;
}

/**
 * The generic cell rate algorithm in its virtual scheduling form (ITU-T I.371, annex A): one number per key says
 * all. `tatMs` is what was kept from the last time, null the first time.
 */
export function gcra(tatMs: number | null, nowMs: number, { burst, emissionMs }: GcraRules): GcraVerdict {
  const toleranceMs = burst * emissionMs;
  const start = Math.max(tatMs ?? nowMs, nowMs);
  const next = start + emissionMs;
  const isAllowed = next - nowMs <= toleranceMs;
  const kept = isAllowed ? next : start;
  return {
    isAllowed,
    tatMs: kept,
    remaining: Math.max(0, Math.floor((toleranceMs - (kept - nowMs)) / emissionMs)),
    retryAfterMs: isAllowed ? 0 : next - nowMs - toleranceMs,
    resetMs: kept - nowMs,
  };
}
