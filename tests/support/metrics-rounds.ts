import type { StoreSettings } from "@mainstay/metrics/tsdb";

/** What the writer writes and the reader expects: a row of series, every fifteen seconds. */
export const METRICS_SERIES = 25;
export const ROUND_MS = 15_000;
export const START_MS = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;

/** Blocks of ten minutes, so that they are cut, merged and gathered all the time. */
export const SMALL_LIMITS: Partial<StoreSettings> = {
  blockMs: 10 * MINUTE_MS,
  outOfOrderMs: MINUTE_MS,
  minFreeBytes: 0,
  segmentBytes: 64 * 1024,
  tiers: [
    { resolutionMs: 0, keepMs: 15 * 24 * 60 * MINUTE_MS, keepBytes: Infinity },
    { resolutionMs: 5 * MINUTE_MS, keepMs: 90 * 24 * 60 * MINUTE_MS, keepBytes: Infinity },
  ],
};

/** Some are counters, some are floats that no integer can say. */
export function expectedValue(nth: number, round: number): number {
  return nth % 2 === 0 ? nth * 1000 + round * 3 : Math.sin(nth + round);
}
