import { CUSTOM_BUCKETS_SCHEMA, type Buckets, type Histogram } from "../../histogram.ts";

export interface Bucket {
  lower: number;
  upper: number;
  count: number;
}

export function isCustom(histogram: Pick<Histogram, "schema">): boolean {
  return histogram.schema === CUSTOM_BUCKETS_SCHEMA;
}

/** The upper bound of a positive bucket of an exponential schema: base^index, at most the largest number. */
export function exponentialBound(index: number, schema: number): number {
  const perOctave = 2 ** schema;
  const octave = Math.floor(index / perOctave);
  const within = index - octave * perOctave;
  return Math.min(2 ** (within / perOctave) * 2 ** octave, Number.MAX_VALUE);
}

/** The index that a bucket has in a coarser schema. */
export function coarserIndex(index: number, fineness: { from: number; to: number }): number {
  return ((index - 1) >> (fineness.from - fineness.to)) + 1;
}

function customBound(index: number, bounds: readonly number[]): number {
  if (index < 0) return -Infinity;
  return bounds[index] ?? Infinity;
}

/** The bounds of a positive bucket. */
export function positiveBounds(histogram: Histogram, index: number): { lower: number; upper: number } {
  const { schema, customBounds } = histogram;
  if (isCustom(histogram)) {
    return { lower: customBound(index - 1, customBounds), upper: customBound(index, customBounds) };
  }
  return { lower: exponentialBound(index - 1, schema), upper: exponentialBound(index, schema) };
}

/**
 * All buckets from the lowest values to the highest, with
 * the zero bucket between the signs when it is not empty.
 */
export function bucketsOf(histogram: Histogram): Bucket[] {
  const { positive, negative, zeroCount, zeroThreshold } = histogram;
  const buckets = mapBuckets(negative, (index, count) => {
    const { lower, upper } = positiveBounds(histogram, index);
    return { lower: -upper, upper: -lower, count };
  }).toReversed();
  if (zeroCount > 0) buckets.push({ lower: -zeroThreshold, upper: zeroThreshold, count: zeroCount });
  const above = mapBuckets(positive, (index, count) => ({ ...positiveBounds(histogram, index), count }));
  return [...buckets, ...above];
}

function mapBuckets({ indexes, counts }: Buckets, make: (index: number, count: number) => Bucket): Bucket[] {
  return Array.from(indexes, (index, at) => make(index, counts[at] ?? 0));
}
