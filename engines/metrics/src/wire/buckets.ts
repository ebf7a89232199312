import type { Buckets } from "../histogram.ts";

/** Counts by index in rising order. */
export function sortedBuckets(counts: ReadonlyMap<number, number>): Buckets {
  const sorted = [...counts].toSorted(([a], [b]) => a - b);
  return {
    indexes: Int32Array.from(sorted, ([index]) => index),
    counts: Float64Array.from(sorted, ([, count]) => count),
  };
}
