import { NO_BUCKETS, type Buckets, type Histogram } from "../../histogram.ts";
import { equalBounds } from "./histogram-sum.ts";

/** Every number times the factor; a negative one makes a gauge of it. */
export function multiply(histogram: Histogram, factor: number): Histogram {
  return mapNumbers(histogram, (value) => value * factor, factor < 0);
}

/** Every number divided; by 0 nothing is left in the buckets. */
export function divide(histogram: Histogram, divisor: number): Histogram {
  const divided = mapNumbers(histogram, (value) => value / divisor, divisor < 0);
  return divisor === 0 ? { ...divided, positive: NO_BUCKETS, negative: NO_BUCKETS } : divided;
}

function mapNumbers(histogram: Histogram, change: (value: number) => number, isGauge: boolean): Histogram {
  return {
    ...histogram,
    count: change(histogram.count),
    sum: change(histogram.sum),
    zeroCount: change(histogram.zeroCount),
    positive: compact(mapCounts(histogram.positive, change)),
    negative: compact(mapCounts(histogram.negative, change)),
    resetHint: isGauge ? "gauge" : histogram.resetHint,
  };
}

function mapCounts({ indexes, counts }: Buckets, change: (value: number) => number): Buckets {
  return { indexes, counts: counts.map(change) };
}

/** Without empty buckets. */
export function compact(buckets: Buckets): Buckets {
  const { indexes, counts } = buckets;
  if (!counts.includes(0)) return buckets;
  return {
    indexes: indexes.filter((_, at) => counts[at] !== 0),
    counts: counts.filter((count) => count !== 0),
  };
}

/** Equal in everything that was counted; what is known about resets does not matter. */
export function equalHistograms(a: Histogram, b: Histogram): boolean {
  return (
    a.schema === b.schema &&
    Object.is(a.count, b.count) &&
    Object.is(a.sum, b.sum) &&
    a.zeroThreshold === b.zeroThreshold &&
    Object.is(a.zeroCount, b.zeroCount) &&
    equalBounds(a.customBounds, b.customBounds) &&
    equalBuckets(a.positive, b.positive) &&
    equalBuckets(a.negative, b.negative)
  );
}

function equalBuckets(a: Buckets, b: Buckets): boolean {
  if (a.indexes.length !== b.indexes.length) return false;
  return a.indexes.every((index, at) => index === b.indexes[at] && Object.is(a.counts[at], b.counts[at]));
}
