import type { FloatColumn, SelectHints } from "../../storage.ts";
import { bucketOf, type BucketColumn } from "./buckets.ts";
import { partFor } from "./plan-reads.ts";

/** Points of a wide bucket are repeated this often, so that the lookback of an instant selector finds one. */
const REPEAT_MS = 4 * 60_000;

/** Buckets as the samples that a query would take for them. */
export function viewBuckets(column: BucketColumn, hints: SelectHints, widthMs: number): FloatColumn {
  const part = partFor(hints);
  if (part === "mean") return meansOf(column);
  if (part !== "last") return { timestampsMs: column.timestampsMs, values: column.parts[part] };
  const isCounted = hints.functionName === "rate" || hints.functionName === "increase";
  if (hints.rangeMs > 0) return isCounted ? counterOf(column) : lastOf(column);
  return widthMs > REPEAT_MS ? repeated(column, widthMs) : lastOf(column);
}

function lastOf({ timestampsMs, parts }: BucketColumn): FloatColumn {
  return { timestampsMs, values: parts.last };
}

function meansOf({ timestampsMs, parts }: BucketColumn): FloatColumn {
  return {
    timestampsMs,
    values: Float64Array.from(parts.sum, (sum, index) => sum / (parts.count[index] ?? 1)),
    counts: parts.count,
  };
}

/**
 * The last of each bucket. Where a counter was reset in or before it,
 * points just before make it grow by exactly what was counted, by the rule
 * that whatever falls was reset: the first of the bucket, its peak, zero.
 */
function counterOf({ timestampsMs, parts }: BucketColumn): FloatColumn {
  const times: number[] = [];
  const values: number[] = [];
  let before = -Infinity;
  timestampsMs.forEach((timeMs, index) => {
    const first = parts.first[index] ?? 0;
    const last = parts.last[index] ?? 0;
    const increase = parts.increase[index] ?? 0;
    const points = wasReset({ first, last, increase }) ? [first, first + increase - last, 0] : [first];
    const isNeeded = points.length > 1 || first < before;
    if (isNeeded && timeMs - points.length > (times.at(-1) ?? -Infinity)) {
      points.forEach((value, nth) => {
        times.push(timeMs - points.length + nth);
        values.push(value);
      });
    }
    times.push(timeMs);
    values.push(last);
    before = last;
  });
  return { timestampsMs: Float64Array.from(times), values: Float64Array.from(values) };
}

/** Sums of floats are not exact: a difference in the last digits is no reset. */
function wasReset({ first, last, increase }: { first: number; last: number; increase: number }): boolean {
  return increase - (last - first) > 1e-9 * Math.max(increase, last);
}

/**
 * Each value again until the next bucket's comes, for as long
 * as a bucket is wide: nothing is told before it was known.
 */
function repeated({ timestampsMs, parts }: BucketColumn, widthMs: number): FloatColumn {
  const times: number[] = [];
  const values: number[] = [];
  timestampsMs.forEach((timeMs, index) => {
    const nextMs = timestampsMs[index + 1] ?? Infinity;
    const endMs = Math.min(nextMs, (bucketOf(timeMs, widthMs) + 1) * widthMs);
    for (let at = timeMs; at < endMs; at += REPEAT_MS) {
      times.push(at);
      values.push(parts.last[index] ?? 0);
    }
  });
  return { timestampsMs: Float64Array.from(times), values: Float64Array.from(values) };
}
