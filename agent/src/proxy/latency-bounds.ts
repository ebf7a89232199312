const FIRST_MS = 0.5;
const LAST_MS = 60_000;
const COUNT = 60;

/**
 * Upper bounds of the latency histogram in ms: log-spaced
 * from 0.5 ms to 60 s, each 1.22 times the one before.
 */
export const LATENCY_BOUNDS_MS: readonly number[] = Array.from({ length: COUNT }, (_, index) =>
  Number((FIRST_MS * (LAST_MS / FIRST_MS) ** (index / (COUNT - 1))).toPrecision(4)),
);

const BOUNDS = Float64Array.from(LATENCY_BOUNDS_MS);

/**
 * The histogram bucket of a latency: the first whose bound it does not exceed, or the one above all bounds.
 */
export function latencyBucket(latencyMs: number): number {
  let low = 0;
  let high = COUNT;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (latencyMs <= (BOUNDS[middle] ?? Infinity)) high = middle;
    else low = middle + 1;
  }
  return low;
}
