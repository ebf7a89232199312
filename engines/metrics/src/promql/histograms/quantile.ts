import type { Histogram } from "../../histogram.ts";
import { type Bucket, bucketsOf, isCustom } from "./bounds.ts";

/** What is to be told about a result beside the result. */
export type Remark = "nan-result" | "nan-skew" | "nan-excluded" | null;

export interface Estimate {
  value: number;
  remark: Remark;
}

/**
 * The q-quantile of a native histogram: linear within custom buckets and the zero bucket,
 * exponential within the others. Counted from the nearer end, so that rounding errors do
 * not add up; observations of NaN, which no bucket holds, count as the largest.
 */
export function histogramQuantile(q: number, histogram: Histogram): Estimate {
  if (q < 0) return { value: -Infinity, remark: null };
  if (q > 1) return { value: Infinity, remark: null };
  if (histogram.count === 0 || Number.isNaN(q)) return { value: NaN, remark: null };
  const hasNaN = Number.isNaN(histogram.sum);
  const isFromBelow = hasNaN || q < 0.5;
  const buckets = bucketsOf(histogram);
  const ordered = isFromBelow ? buckets : buckets.toReversed();
  const rank = (isFromBelow ? q : 1 - q) * histogram.count;
  const { bucket: found, count: reached } = findRank(ordered, rank);
  const bucket = narrow(found, histogram);
  if (isCustom(histogram)) {
    if (found.lower === -Infinity && found.upper <= 0) return { value: found.upper, remark: null };
    if (found.lower !== -Infinity && found.upper === Infinity) return { value: found.lower, remark: null };
  }
  const count = Math.min(reached, histogram.count);
  if (count < rank) {
    return hasNaN ? { value: NaN, remark: "nan-result" } : { value: bucket.upper, remark: null };
  }
  const within = isFromBelow ? rank - (count - bucket.count) : count - rank;
  const inBuckets = buckets.reduce((sum, each) => sum + each.count, 0);
  const remark = hasNaN && inBuckets < histogram.count ? "nan-skew" : null;
  return { value: interpolate(bucket, within / bucket.count, isCustom(histogram)), remark };
}

function findRank(buckets: readonly Bucket[], rank: number): { bucket: Bucket; count: number } {
  let count = 0;
  let bucket: Bucket = { lower: 0, upper: 0, count: 0 };
  for (const each of buckets) {
    if (each.count === 0) {
      bucket = each;
      continue;
    }
    bucket = each;
    count += each.count;
    if (count >= rank) break;
  }
  return { bucket, count };
}

function narrow(bucket: Bucket, histogram: Histogram): Bucket {
  if (isCustom(histogram)) return bucket.lower === -Infinity ? { ...bucket, lower: 0 } : bucket;
  return bucket.lower < 0 && bucket.upper > 0 ? withoutEmptySign(bucket, histogram) : bucket;
}

/** A histogram without values of one sign has none of that sign around zero either. */
function withoutEmptySign(bucket: Bucket, { negative, positive }: Histogram): Bucket {
  const [hasNegative, hasPositive] = [negative.indexes.length > 0, positive.indexes.length > 0];
  if (!hasNegative && hasPositive) return { ...bucket, lower: 0 };
  if (!hasPositive && hasNegative) return { ...bucket, upper: 0 };
  return bucket;
}

function interpolate({ lower, upper }: Bucket, fraction: number, isLinear: boolean): number {
  if (isLinear || (lower <= 0 && upper >= 0)) return lower + (upper - lower) * fraction;
  const logLower = Math.log2(Math.abs(lower));
  const logUpper = Math.log2(Math.abs(upper));
  if (lower > 0) return 2 ** (logLower + (logUpper - logLower) * fraction);
  return -(2 ** (logUpper + (logLower - logUpper) * (1 - fraction)));
}

/** The share of observations between two values; those of NaN lie in no range. */
export function histogramFraction(range: { lower: number; upper: number }, histogram: Histogram): Estimate {
  const { lower, upper } = range;
  if (histogram.count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) {
    return { value: NaN, remark: null };
  }
  if (lower >= upper) return { value: 0, remark: null };
  const buckets = bucketsOf(histogram);
  const hasNaN = Number.isNaN(histogram.sum);
  const inBuckets = buckets.reduce((sum, bucket) => sum + bucket.count, 0);
  const count = hasNaN ? inBuckets : histogram.count;
  const below = (value: number) => Math.min(rankOf(value, buckets, histogram) ?? count, count);
  return {
    value: (below(upper) - below(lower)) / histogram.count,
    remark: hasNaN && inBuckets < histogram.count ? "nan-excluded" : null,
  };
}

/** How many observations lie below a value; null when all buckets do. */
function rankOf(value: number, buckets: readonly Bucket[], histogram: Histogram): number | null {
  let rank = 0;
  for (const each of buckets) {
    const isAroundZero = each.lower <= 0 && each.upper >= 0;
    const bucket = isAroundZero ? withoutEmptySign(each, histogram) : each;
    if (bucket.lower >= value) return rank;
    if (bucket.upper > value) {
      const within = rankWithin(value, bucket, isCustom(histogram) || isAroundZero);
      return bucket.lower === -Infinity ? within : rank + within;
    }
    rank += bucket.count;
  }
  return null;
}

function rankWithin(value: number, { lower, upper, count }: Bucket, isLinear: boolean): number {
  if (isLinear) return lower === -Infinity ? count : (count * (value - lower)) / (upper - lower);
  const logLower = Math.log2(Math.abs(lower));
  const logUpper = Math.log2(Math.abs(upper));
  const logValue = Math.log2(Math.abs(value));
  if (value > 0) return (count * (logValue - logLower)) / (logUpper - logLower);
  return count * (1 - (logValue - logUpper) / (logLower - logUpper));
}

/** The variance around the mean, each observation taken to lie in the middle of its bucket. */
export function histogramVariance(histogram: Histogram): number {
  const mean = histogram.sum / histogram.count;
  let variance = 0;
  for (const { lower, upper, count } of bucketsOf(histogram)) {
    if (count === 0) continue;
    const middle = middleOf({ lower, upper }, isCustom(histogram));
    variance += count * (middle - mean) * (middle - mean);
  }
  return variance / histogram.count;
}

function middleOf({ lower, upper }: { lower: number; upper: number }, isLinear: boolean): number {
  if (isLinear) return (upper + lower) / 2;
  if (lower <= 0 && upper >= 0) return 0;
  const middle = Math.sqrt(upper * lower);
  return upper < 0 ? -middle : middle;
}
