import type { Buckets, Histogram } from "../../histogram.ts";
import { compact } from "./arithmetic.ts";
import { type Bucket, isCustom, positiveBounds } from "./bounds.ts";

/** What is left of a bucket, and where it lies on average. */
interface Kept {
  count: number;
  middle: number;
}

/**
 * Keeps what lies below (`</`) or above (`>/`) a value;
 * buckets that it cuts are divided as quantiles divide them.
 */
export function trim(histogram: Histogram, value: number, keeps: "below" | "above"): Histogram {
  const isLinear = isCustom(histogram);
  const cut = { value, keeps, isLinear };
  const positive = trimSide(
    histogram.positive,
    (bucket) => trimBucket(bucket, { ...cut, isPositive: true }),
    (index) => positiveBounds(histogram, index),
  );
  const negative = trimSide(
    histogram.negative,
    (bucket) => trimBucket(bucket, { ...cut, isPositive: false }),
    (index) => {
      const { lower, upper } = positiveBounds(histogram, index);
      return { lower: -upper, upper: -lower };
    },
  );
  const signs = { hasPositive: positive.hasAny, hasNegative: negative.hasAny };
  const zero =
    histogram.zeroCount > 0
      ? trimZero(histogram, { value, keeps, ...signs })
      : { count: histogram.zeroCount, middle: 0 };
  if (!positive.isTrimmed && !negative.isTrimmed && zero.count === histogram.zeroCount) return histogram;
  return {
    ...histogram,
    count: positive.count + negative.count + zero.count,
    sum: positive.sum + negative.sum + zero.middle * zero.count,
    zeroCount: zero.count,
    positive: compact(positive.buckets),
    negative: compact(negative.buckets),
  };
}

function trimSide(
  { indexes, counts }: Buckets,
  keep: (bucket: Bucket) => Kept,
  boundsOf: (index: number) => { lower: number; upper: number },
) {
  const kept = new Float64Array(counts.length);
  const side = { count: 0, sum: 0, isTrimmed: false, hasAny: false, buckets: { indexes, counts: kept } };
  for (let at = 0; at < indexes.length; at++) {
    const count = counts[at] ?? 0;
    if (count === 0) continue;
    const left = keep({ ...boundsOf(indexes[at] ?? 0), count });
    side.hasAny = true;
    side.isTrimmed ||= left.count !== count;
    side.count += left.count;
    if (left.count !== 0) side.sum += left.middle * left.count;
    kept[at] = left.count;
  }
  return side;
}

interface Cut {
  value: number;
  keeps: "below" | "above";
  isLinear: boolean;
  isPositive: boolean;
}

function trimBucket(bucket: Bucket, cut: Cut): Kept {
  const { lower, upper, count } = bucket;
  const { value, keeps } = cut;
  const isWhole = keeps === "below" ? upper <= value : lower >= value;
  if (isWhole) return { count, middle: middleOf({ lower, upper }, cut) };
  const isGone = keeps === "below" ? lower >= value : upper <= value;
  if (isGone) return { count: 0, middle: 0 };
  if (lower === -Infinity || upper === Infinity) return trimInfinite(bucket, cut);
  const below = count * shareBelow(bucket, cut);
  if (keeps === "below") return { count: below, middle: middleOf({ lower, upper: value }, cut) };
  return { count: count - below, middle: middleOf({ lower: value, upper }, cut) };
}

function shareBelow({ lower, upper }: Bucket, { value, isLinear }: Cut): number {
  if (isLinear) return (value - lower) / (upper - lower);
  const [logLower, logUpper, logValue] = [lower, upper, value].map((bound) => Math.log2(Math.abs(bound)));
  if (logLower === undefined || logUpper === undefined || logValue === undefined) return 0;
  if (value > 0) return (logValue - logLower) / (logUpper - logLower);
  return 1 - (logValue - logUpper) / (logLower - logUpper);
}

/**
 * Nobody knows how observations spread towards infinity: such
 * a bucket is kept or dropped whole, unless it can begin at 0.
 */
function trimInfinite({ lower, upper, count }: Bucket, { value, keeps }: Cut): Kept {
  if (lower === -Infinity) {
    const beginsAtZero = upper > 0 && upper !== Infinity;
    if (keeps === "below") {
      if (value > 0 && beginsAtZero) return { count: (count * value) / upper, middle: value / 2 };
      return upper <= 0 ? { count, middle: value } : { count: 0, middle: 0 };
    }
    if (value >= 0 && beginsAtZero)
      return { count: count * (1 - value / upper), middle: (value + upper) / 2 };
    return { count: 0, middle: 0 };
  }
  if (keeps === "below") return { count: 0, middle: 0 };
  return value >= lower ? { count, middle: value } : { count: 0, middle: 0 };
}

interface ZeroCut {
  value: number;
  keeps: "below" | "above";
  hasPositive: boolean;
  hasNegative: boolean;
}

function trimZero({ zeroThreshold, zeroCount }: Histogram, cut: ZeroCut): Kept {
  const lower = cut.hasPositive && !cut.hasNegative ? 0 : -zeroThreshold;
  const upper = cut.hasNegative && !cut.hasPositive ? 0 : zeroThreshold;
  const whole = { count: zeroCount, middle: (lower + upper) / 2 };
  const none = { count: 0, middle: 0 };
  const { value, keeps } = cut;
  if (value <= lower) return keeps === "below" ? none : whole;
  if (value >= upper) return keeps === "below" ? whole : none;
  const width = upper - lower;
  if (keeps === "below") return { count: (zeroCount * (value - lower)) / width, middle: (lower + value) / 2 };
  return { count: (zeroCount * (upper - value)) / width, middle: (value + upper) / 2 };
}

function middleOf({ lower, upper }: { lower: number; upper: number }, { isLinear, isPositive }: Cut): number {
  const isLowerInfinite = lower === -Infinity || lower === Infinity;
  const isUpperInfinite = upper === -Infinity || upper === Infinity;
  if (isLowerInfinite) {
    if (isUpperInfinite) return 0;
    return upper > 0 ? upper / 2 : upper;
  }
  if (isUpperInfinite) return lower;
  if (isLinear) return (lower + upper) / 2;
  const middle = Math.sqrt(Math.abs(lower * upper));
  return isPositive ? middle : -middle;
}
