import type { FloatColumn } from "../../storage.ts";
import type { TimeRange } from "../columns.ts";

/**
 * What is kept of the samples of a bucket. `increase` is that of a counter inside of it, resets taken into
 * account; what it grew between the last of one bucket and the first of the next can be told from the two.
 */
export const BUCKET_PARTS = ["count", "sum", "min", "max", "first", "last", "increase"] as const;
export type BucketPart = (typeof BUCKET_PARTS)[number];

/**
 * Buckets of a series, those without a sample left out. Bucket n holds the times in ((n - 1)·width, n·width].
 */
export interface BucketColumn {
  /** Time of the last sample in each. */
  readonly timestampsMs: Float64Array;
  readonly parts: Readonly<Record<BucketPart, Float64Array>>;
}

/** The number of the bucket that a time falls into: its end lies at that many widths. */
export function bucketOf(timeMs: number, widthMs: number): number {
  return Math.ceil(timeMs / widthMs);
}

export function createBuckets(capacity: number): BucketColumn {
  const column = () => new Float64Array(capacity);
  return {
    timestampsMs: column(),
    parts: {
      count: column(),
      sum: column(),
      min: column(),
      max: column(),
      first: column(),
      last: column(),
      increase: column(),
    },
  };
}

/** Views of the buckets from `start` up to `end`. */
export function sliceBuckets(
  { timestampsMs, parts }: BucketColumn,
  start: number,
  end: number,
): BucketColumn {
  const cut = (part: BucketPart) => parts[part].subarray(start, end);
  return {
    timestampsMs: timestampsMs.subarray(start, end),
    parts: {
      count: cut("count"),
      sum: cut("sum"),
      min: cut("min"),
      max: cut("max"),
      first: cut("first"),
      last: cut("last"),
      increase: cut("increase"),
    },
  };
}

/** Leaves out buckets whose last sample stands in any of the ranges. */
export function bucketsWithoutRanges(column: BucketColumn, ranges: readonly TimeRange[]): BucketColumn {
  const { timestampsMs } = column;
  const isHidden = (timeMs: number) =>
    ranges.some(({ fromMs, beforeMs }) => timeMs >= fromMs && timeMs < beforeMs);
  if (!timestampsMs.some(isHidden)) return column;
  const kept = createBuckets(timestampsMs.length);
  let at = 0;
  timestampsMs.forEach((timeMs, index) => {
    if (!isHidden(timeMs)) copyBucket(kept, at++, { column, index });
  });
  return sliceBuckets(kept, 0, at);
}

/** Samples gathered by bucket; NaN says nothing, staleness markers neither. */
export function gatherBuckets({ timestampsMs, values }: FloatColumn, widthMs: number): BucketColumn {
  const buckets = createBuckets(countBuckets(timestampsMs, widthMs));
  let at = -1;
  let current = NaN;
  for (let index = 0; index < timestampsMs.length; index++) {
    const timeMs = timestampsMs[index] ?? 0;
    const value = values[index] ?? NaN;
    if (Number.isNaN(value)) continue;
    const bucket = bucketOf(timeMs, widthMs);
    if (bucket === current) addToBucket(buckets, at, { timeMs, value });
    else startBucket(buckets, ++at, { timeMs, value });
    current = bucket;
  }
  return sliceBuckets(buckets, 0, at + 1);
}

function countBuckets(timestampsMs: Float64Array, widthMs: number): number {
  let count = 0;
  let current = NaN;
  for (const timeMs of timestampsMs) {
    const bucket = bucketOf(timeMs, widthMs);
    if (bucket !== current) count++;
    current = bucket;
  }
  return count;
}

interface Sample {
  timeMs: number;
  value: number;
}

function startBucket({ timestampsMs, parts }: BucketColumn, at: number, { timeMs, value }: Sample): void {
  timestampsMs[at] = timeMs;
  parts.count[at] = 1;
  for (const part of ["sum", "min", "max", "first", "last"] as const) parts[part][at] = value;
  parts.increase[at] = 0;
}

function addToBucket({ timestampsMs, parts }: BucketColumn, at: number, { timeMs, value }: Sample): void {
  const before = parts.last[at] ?? 0;
  timestampsMs[at] = timeMs;
  parts.count[at] = (parts.count[at] ?? 0) + 1;
  parts.sum[at] = (parts.sum[at] ?? 0) + value;
  if (value < (parts.min[at] ?? 0)) parts.min[at] = value;
  if (value > (parts.max[at] ?? 0)) parts.max[at] = value;
  parts.increase[at] = (parts.increase[at] ?? 0) + growth(before, value);
  parts.last[at] = value;
}

/** A counter that fell was reset, and has grown to what it is since. */
function growth(before: number, after: number): number {
  return after >= before ? after - before : after;
}

/**
 * One column of several; a bucket that two of them have a part of becomes whole. Of columns that follow each
 * other it is what it would be of their samples; where they lie around each other, what its parts begin with
 * and grow by is taken as if one part came after the other.
 */
export function joinBuckets(columns: readonly BucketColumn[], widthMs: number): BucketColumn {
  const total = columns.reduce((sum, each) => sum + each.timestampsMs.length, 0);
  const joined = createBuckets(total);
  let at = -1;
  let current = NaN;
  const sorted = columns
    .filter((each) => each.timestampsMs.length > 0)
    .toSorted((a, b) => (a.timestampsMs[0] ?? 0) - (b.timestampsMs[0] ?? 0));
  for (const column of isFollowing(sorted) ? sorted : [inOrder(sorted)]) {
    for (let index = 0; index < column.timestampsMs.length; index++) {
      const bucket = bucketOf(column.timestampsMs[index] ?? 0, widthMs);
      if (bucket === current) combine(joined, at, { column, index });
      else copyBucket(joined, ++at, { column, index });
      current = bucket;
    }
  }
  return sliceBuckets(joined, 0, at + 1);
}

function isFollowing(columns: readonly BucketColumn[]): boolean {
  return columns.every(({ timestampsMs }, at) => {
    const lastMs = columns[at - 1]?.timestampsMs.at(-1) ?? -Infinity;
    return (timestampsMs[0] ?? Infinity) >= lastMs;
  });
}

/** All buckets by their time. */
function inOrder(columns: readonly BucketColumn[]): BucketColumn {
  const placed = columns
    .flatMap((column) => Array.from(column.timestampsMs, (timeMs, index) => ({ column, index, timeMs })))
    .toSorted((a, b) => a.timeMs - b.timeMs);
  const ordered = createBuckets(placed.length);
  placed.forEach((each, at) => copyBucket(ordered, at, each));
  return ordered;
}

interface Placed {
  column: BucketColumn;
  index: number;
}

function copyBucket({ timestampsMs, parts }: BucketColumn, at: number, { column, index }: Placed): void {
  timestampsMs[at] = column.timestampsMs[index] ?? 0;
  for (const part of BUCKET_PARTS) parts[part][at] = column.parts[part][index] ?? 0;
}

function combine({ timestampsMs, parts }: BucketColumn, at: number, { column, index }: Placed): void {
  const added = (part: BucketPart) => column.parts[part][index] ?? 0;
  const there = (part: BucketPart) => parts[part][at] ?? 0;
  timestampsMs[at] = column.timestampsMs[index] ?? 0;
  parts.increase[at] = there("increase") + growth(there("last"), added("first")) + added("increase");
  parts.count[at] = there("count") + added("count");
  parts.sum[at] = there("sum") + added("sum");
  parts.min[at] = Math.min(there("min"), added("min"));
  parts.max[at] = Math.max(there("max"), added("max"));
  parts.last[at] = added("last");
}
