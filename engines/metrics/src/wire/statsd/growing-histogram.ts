import type { Histogram } from "../../histogram.ts";
import { sortedBuckets } from "../buckets.ts";

/** Buckets grow by 2^(1/8), 9 %: a quantile is at most that wrong. */
const SCHEMA = 3;
const BUCKETS_PER_OCTAVE = 2 ** SCHEMA;
const ZERO_THRESHOLD = 2 ** -128;

/** A native histogram to which observations are added one by one. */
export function createGrowingHistogram() {
  const positive = new Map<number, number>();
  const negative = new Map<number, number>();
  let count = 0;
  let sum = 0;
  let zeroCount = 0;

  return {
    /** `weight`: how many observations it stands for. */
    add(value: number, weight: number): void {
      count += weight;
      sum += value * weight;
      const size = Math.abs(value);
      if (size <= ZERO_THRESHOLD) {
        zeroCount += weight;
        return;
      }
      const side = value > 0 ? positive : negative;
      const bucket = bucketOf(size);
      side.set(bucket, (side.get(bucket) ?? 0) + weight);
    },
    snapshot(): Histogram {
      return {
        ...{ schema: SCHEMA, count, sum, zeroThreshold: ZERO_THRESHOLD, zeroCount },
        ...{ positive: sortedBuckets(positive), negative: sortedBuckets(negative) },
        ...{ customBounds: [], resetHint: "unknown" },
      };
    },
  };
}
export type GrowingHistogram = ReturnType<typeof createGrowingHistogram>;

/** Bucket i holds (2^((i-1)/8), 2^(i/8)]. */
function bucketOf(size: number): number {
  const guess = Math.ceil(Math.log2(size) * BUCKETS_PER_OCTAVE);
  // The logarithm may err by a last digit right at a bound.
  return 2 ** ((guess - 1) / BUCKETS_PER_OCTAVE) >= size ? guess - 1 : guess;
}
