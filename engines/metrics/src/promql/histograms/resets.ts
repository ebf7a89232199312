import type { Buckets, Histogram } from "../../histogram.ts";
import { coarserIndex, exponentialBound, isCustom } from "./bounds.ts";
import { createHistogramSum, equalBounds, toHistogram, widenZero } from "./histogram-sum.ts";

/**
 * Whether a counter was reset between two samples: what the writer says, else whether any bucket has fewer.
 */
export function detectReset(current: Histogram, previous: Histogram): boolean {
  if (current.resetHint === "reset") return true;
  if (current.resetHint === "not-reset") return false;
  if (current.count < previous.count) return true;
  if (isCustom(current)) return isCustom(previous) ? hasCustomReset(current, previous) : true;
  if (current.schema > previous.schema || current.zeroThreshold < previous.zeroThreshold) return true;
  let before = previous;
  if (current.zeroThreshold > previous.zeroThreshold) {
    const widened = createHistogramSum(previous);
    widenZero(widened, current.zeroThreshold);
    before = toHistogram(widened);
  }
  if (before.zeroThreshold !== current.zeroThreshold || current.zeroCount < before.zeroCount) return true;
  const fineness = { from: before.schema, to: current.schema };
  const least = current.zeroThreshold;
  return (
    hasFewer(current.positive, coarser(before.positive, fineness), { schema: current.schema, least }) ||
    hasFewer(current.negative, coarser(before.negative, fineness), { schema: current.schema, least })
  );
}

function coarser({ indexes, counts }: Buckets, fineness: { from: number; to: number }): Map<number, number> {
  const merged = new Map<number, number>();
  for (let at = 0; at < indexes.length; at++) {
    const index = coarserIndex(indexes[at] ?? 0, fineness);
    merged.set(index, (merged.get(index) ?? 0) + (counts[at] ?? 0));
  }
  return merged;
}

interface Scale {
  schema: number;
  /** Buckets up to here belong to the zero bucket. */
  least: number;
}

function hasFewer(current: Buckets, before: Map<number, number>, { schema, least }: Scale): boolean {
  for (const [index, count] of before) {
    if (count === 0 || exponentialBound(index, schema) <= least) continue;
    const at = current.indexes.indexOf(index);
    if (at < 0 || (current.counts[at] ?? 0) < count) return true;
  }
  return false;
}

/** Compared where the bounds are the same: how many lie below each, one after the other. */
function hasCustomReset(current: Histogram, previous: Histogram): boolean {
  const isSame = equalBounds(current.customBounds, previous.customBounds);
  const shared = isSame
    ? current.customBounds
    : current.customBounds.filter((bound) => previous.customBounds.includes(bound));
  const [now, before] = [countsUpTo(current, shared), countsUpTo(previous, shared)];
  return now.some((count, index) => count < (before[index] ?? 0));
}

function countsUpTo({ positive, customBounds }: Histogram, shared: readonly number[]): number[] {
  const counts = Array.from<number>({ length: shared.length + 1 }).fill(0);
  for (let at = 0; at < positive.indexes.length; at++) {
    const upper = customBounds[positive.indexes[at] ?? 0] ?? Infinity;
    const found = shared.findIndex((bound) => bound >= upper);
    const target = found < 0 ? shared.length : found;
    counts[target] = (counts[target] ?? 0) + (positive.counts[at] ?? 0);
  }
  return counts;
}
