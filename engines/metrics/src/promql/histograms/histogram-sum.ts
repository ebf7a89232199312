import { NO_BUCKETS, type Buckets, type Histogram, type ResetHint } from "../../histogram.ts";
import { addTo, createSum, type Sum, totalOf } from "../kahan.ts";
import { coarserIndex, exponentialBound, isCustom } from "./bounds.ts";

/** A histogram that others are added to, each of its numbers a sum that carries what rounding has lost. */
export interface HistogramSum {
  schema: number;
  resetHint: ResetHint;
  zeroThreshold: number;
  zeroCount: Sum;
  count: Sum;
  sum: Sum;
  positive: Map<number, Sum>;
  negative: Map<number, Sum>;
  customBounds: readonly number[];
  /** One that was reset met one that was not: nobody knows what the total is. */
  hasCollision: boolean;
  /** Custom bounds differed; only those that all share are left. */
  hasReconciled: boolean;
}

export function createHistogramSum(histogram: Histogram): HistogramSum {
  return {
    schema: histogram.schema,
    resetHint: histogram.resetHint,
    zeroThreshold: histogram.zeroThreshold,
    zeroCount: createSum(histogram.zeroCount),
    count: createSum(histogram.count),
    sum: createSum(histogram.sum),
    positive: sumsOf(histogram.positive),
    negative: sumsOf(histogram.negative),
    customBounds: histogram.customBounds,
    hasCollision: false,
    hasReconciled: false,
  };
}

function sumsOf({ indexes, counts }: Buckets): Map<number, Sum> {
  const sums = new Map<number, Sum>();
  for (let at = 0; at < indexes.length; at++) sums.set(indexes[at] ?? 0, createSum(counts[at] ?? 0));
  return sums;
}

/**
 * Adds, or subtracts with sign -1. False, and nothing is changed, when only one of both has custom buckets.
 */
export function addHistogram(total: HistogramSum, histogram: Histogram, sign: 1 | -1 = 1): boolean {
  if (isCustom(total) !== isCustom(histogram)) return false;
  adjustHint(total, histogram.resetHint);
  if (isCustom(total)) addCustom(total, histogram, sign);
  else addExponential(total, histogram, sign);
  addTo(total.count, sign * histogram.count);
  addTo(total.sum, sign * histogram.sum);
  return true;
}

function adjustHint(total: HistogramSum, hint: ResetHint): void {
  if (hint === total.resetHint || total.resetHint === "gauge") return;
  if (hint === "gauge") total.resetHint = "gauge";
  else if (total.resetHint !== "unknown") {
    if (hint !== "unknown") total.hasCollision = true;
    total.resetHint = "unknown";
  }
}

function addExponential(total: HistogramSum, histogram: Histogram, sign: 1 | -1): void {
  if (histogram.schema === total.schema && histogram.zeroThreshold === total.zeroThreshold) {
    addTo(total.zeroCount, sign * histogram.zeroCount);
    addBuckets(total.positive, histogram.positive, sign);
    addBuckets(total.negative, histogram.negative, sign);
    return;
  }
  const other = createHistogramSum(histogram);
  while (other.zeroThreshold !== total.zeroThreshold) {
    if (other.zeroThreshold < total.zeroThreshold) widenZero(other, total.zeroThreshold);
    else widenZero(total, other.zeroThreshold);
  }
  const schema = Math.min(total.schema, other.schema);
  coarsen(total, schema);
  coarsen(other, schema);
  addTo(total.zeroCount, sign * totalOf(other.zeroCount));
  for (const [index, sum] of other.positive) addBucket(total.positive, index, sign * totalOf(sum));
  for (const [index, sum] of other.negative) addBucket(total.negative, index, sign * totalOf(sum));
}

function addBuckets(sums: Map<number, Sum>, { indexes, counts }: Buckets, sign: 1 | -1): void {
  for (let at = 0; at < indexes.length; at++) addBucket(sums, indexes[at] ?? 0, sign * (counts[at] ?? 0));
}

function addBucket(sums: Map<number, Sum>, index: number, term: number): void {
  const sum = sums.get(index);
  if (sum === undefined) sums.set(index, createSum(term));
  else addTo(sum, term);
}

/** Puts the buckets of a finer schema together into those of a coarser one. */
export function coarsen(total: HistogramSum, schema: number): void {
  if (schema >= total.schema || isCustom(total)) return;
  const fineness = { from: total.schema, to: schema };
  total.positive = merge(total.positive, fineness);
  total.negative = merge(total.negative, fineness);
  total.schema = schema;
}

function merge(sums: Map<number, Sum>, fineness: { from: number; to: number }): Map<number, Sum> {
  const merged = new Map<number, Sum>();
  for (const [index, { value, lost }] of sums) {
    const target = coarserIndex(index, fineness);
    addBucket(merged, target, value);
    if (lost !== 0) addBucket(merged, target, lost);
  }
  return merged;
}

/**
 * Lets the zero bucket reach at least to the threshold, and takes in the buckets that lie within.
 * A bucket that the threshold cuts is taken in whole, and the threshold moves to its far end.
 */
export function widenZero(total: HistogramSum, threshold: number): void {
  const { schema, positive, negative } = total;
  const buckets = [...positive, ...negative];
  let reach = threshold;
  for (let before = -1; before !== reach;) {
    before = reach;
    for (const [index, sum] of buckets) {
      const isCut = exponentialBound(index - 1, schema) < reach && totalOf(sum) !== 0;
      if (isCut) reach = Math.max(reach, exponentialBound(index, schema));
    }
  }
  for (const sums of [positive, negative]) takeIntoZero(total, sums, reach);
  total.zeroThreshold = reach;
}

function takeIntoZero({ schema, zeroCount }: HistogramSum, sums: Map<number, Sum>, reach: number): void {
  for (const [index, { value, lost }] of sums) {
    if (exponentialBound(index - 1, schema) >= reach) continue;
    addTo(zeroCount, value);
    addTo(zeroCount, lost);
    sums.delete(index);
  }
}

function addCustom(total: HistogramSum, histogram: Histogram, sign: 1 | -1): void {
  const { customBounds } = histogram;
  if (equalBounds(total.customBounds, customBounds))
    return addBuckets(total.positive, histogram.positive, sign);
  const shared = total.customBounds.filter((bound) => customBounds.includes(bound));
  const mine = new Map<number, Sum>();
  for (const [index, { value, lost }] of total.positive) {
    const target = indexOfBound(shared, total.customBounds[index]);
    addBucket(mine, target, value);
    if (lost !== 0) addBucket(mine, target, lost);
  }
  const { indexes, counts } = histogram.positive;
  for (let at = 0; at < indexes.length; at++) {
    const target = indexOfBound(shared, customBounds[indexes[at] ?? 0]);
    addBucket(mine, target, sign * (counts[at] ?? 0));
  }
  total.positive = mine;
  total.customBounds = shared;
  total.hasReconciled = true;
}

/** The first bucket whose upper bound is not below this one; the last when there is none. */
function indexOfBound(bounds: readonly number[], bound: number | undefined): number {
  if (bound === undefined) return bounds.length;
  const found = bounds.findIndex((each) => each >= bound);
  return found < 0 ? bounds.length : found;
}

export function equalBounds(a: readonly number[], b: readonly number[]): boolean {
  return a === b || (a.length === b.length && a.every((bound, index) => bound === b[index]));
}

/** Multiplies every number, in place. */
export function scaleSum(total: HistogramSum, factor: number): void {
  for (const sum of numbersOf(total)) {
    sum.value *= factor;
    sum.lost *= factor;
  }
}

/** Divides every number, in place. */
export function divideSum(total: HistogramSum, divisor: number): void {
  for (const sum of numbersOf(total)) {
    sum.value /= divisor;
    sum.lost /= divisor;
  }
}

/** Whether a number has grown beyond all bounds. */
export function hasOverflow(total: HistogramSum): boolean {
  return numbersOf(total).some(({ value }) => value === Infinity || value === -Infinity);
}

function numbersOf(total: HistogramSum): Sum[] {
  const { zeroCount, count, sum, positive, negative } = total;
  return [zeroCount, count, sum, ...positive.values(), ...negative.values()];
}

/** A copy that can be added to without altering this one. */
export function copySum(total: HistogramSum): HistogramSum {
  const copy = (sums: Map<number, Sum>) => new Map([...sums].map(([index, sum]) => [index, { ...sum }]));
  return {
    ...total,
    zeroCount: { ...total.zeroCount },
    count: { ...total.count },
    sum: { ...total.sum },
    positive: copy(total.positive),
    negative: copy(total.negative),
  };
}

/** The total, without empty buckets. */
export function toHistogram(total: HistogramSum): Histogram {
  return {
    schema: total.schema,
    resetHint: total.resetHint,
    zeroThreshold: total.zeroThreshold,
    zeroCount: totalOf(total.zeroCount),
    count: totalOf(total.count),
    sum: totalOf(total.sum),
    positive: toBuckets(total.positive),
    negative: toBuckets(total.negative),
    customBounds: total.customBounds,
  };
}

function toBuckets(sums: Map<number, Sum>): Buckets {
  const entries: [number, number][] = [];
  for (const [index, sum] of sums) {
    const count = totalOf(sum);
    if (count !== 0) entries.push([index, count]);
  }
  if (entries.length === 0) return NO_BUCKETS;
  entries.sort(([a], [b]) => a - b);
  return {
    indexes: Int32Array.from(entries, ([index]) => index),
    counts: Float64Array.from(entries, ([, count]) => count),
  };
}
