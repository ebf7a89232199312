import type { Buckets, Histogram, ResetHint } from "../../histogram.ts";
import {
  CorruptionError,
  readFloat,
  readSigned,
  readVarint,
  writeFloat,
  writeSigned,
  writeVarint,
  type ByteSink,
  type ByteSource,
} from "./bytes.ts";
import { readValues, writeValues } from "./value-column.ts";

const RESET_HINTS: readonly ResetHint[] = ["unknown", "reset", "not-reset", "gauge"];

/** What neighbouring histograms of a series have in common: which buckets there are. */
interface Layout {
  schema: number;
  zeroThreshold: number;
  positive: Int32Array;
  negative: Int32Array;
  customBounds: readonly number[];
}

/**
 * Histograms as runs of equal layout; within a run the counts, the sums and each
 * bucket are columns of floats, so a bucket that nobody hits costs next to nothing.
 */
export function writeHistograms(sink: ByteSink, histograms: readonly Histogram[]): void {
  let start = 0;
  while (start < histograms.length) {
    const end = endOfRun(histograms, start);
    writeRun(sink, histograms.slice(start, end));
    start = end;
  }
}

/** The inverse of `writeHistograms`; how many there are is told elsewhere. */
export function readHistograms(source: ByteSource, count: number): Histogram[] {
  const histograms: Histogram[] = [];
  while (histograms.length < count) histograms.push(...readRun(source));
  if (histograms.length > count) throw new CorruptionError("a column of histograms is too long");
  return histograms;
}

/** Whether two histograms count in the same buckets. */
function hasSameLayout(a: Histogram, b: Histogram): boolean {
  return (
    a.schema === b.schema &&
    a.zeroThreshold === b.zeroThreshold &&
    isSameRow(a.positive.indexes, b.positive.indexes) &&
    isSameRow(a.negative.indexes, b.negative.indexes) &&
    isSameRow(a.customBounds, b.customBounds)
  );
}

/** Whether two histograms say the same. */
export function isSameHistogram(a: Histogram, b: Histogram): boolean {
  return (
    hasSameLayout(a, b) &&
    Object.is(a.count, b.count) &&
    Object.is(a.sum, b.sum) &&
    Object.is(a.zeroCount, b.zeroCount) &&
    isSameRow(a.positive.counts, b.positive.counts) &&
    isSameRow(a.negative.counts, b.negative.counts)
  );
}

function isSameRow(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}

function endOfRun(histograms: readonly Histogram[], start: number): number {
  const first = histograms[start];
  let end = start + 1;
  for (; first !== undefined && end < histograms.length; end++) {
    const next = histograms[end];
    if (next === undefined || !hasSameLayout(first, next)) break;
  }
  return end;
}

function writeRun(sink: ByteSink, run: readonly Histogram[]): void {
  const [first] = run;
  if (first === undefined) return;
  writeVarint(sink, run.length);
  writeLayout(sink, {
    ...first,
    positive: first.positive.indexes,
    negative: first.negative.indexes,
  });
  for (const { resetHint } of run) writeVarint(sink, RESET_HINTS.indexOf(resetHint));
  writeColumn(sink, run, (each) => each.count);
  writeColumn(sink, run, (each) => each.sum);
  writeColumn(sink, run, (each) => each.zeroCount);
  first.positive.indexes.forEach((_, bucket) => {
    writeColumn(sink, run, (each) => each.positive.counts[bucket] ?? 0);
  });
  first.negative.indexes.forEach((_, bucket) => {
    writeColumn(sink, run, (each) => each.negative.counts[bucket] ?? 0);
  });
}

function readRun(source: ByteSource): Histogram[] {
  const length = readVarint(source);
  if (length === 0) throw new CorruptionError("a run of histograms is empty");
  const layout = readLayout(source);
  const hints = Array.from({ length }, () => readHint(source));
  const [counts, sums, zeroCounts] = [0, 1, 2].map(() => readColumn(source, length));
  const positive = readBuckets(source, length, layout.positive);
  const negative = readBuckets(source, length, layout.negative);
  const { schema, zeroThreshold, customBounds } = layout;
  return hints.map((resetHint, index) => ({
    schema,
    zeroThreshold,
    customBounds,
    resetHint,
    count: counts?.[index] ?? 0,
    sum: sums?.[index] ?? 0,
    zeroCount: zeroCounts?.[index] ?? 0,
    positive: positive(index),
    negative: negative(index),
  }));
}

function writeColumn(sink: ByteSink, run: readonly Histogram[], valueOf: (each: Histogram) => number): void {
  writeValues(sink, Float64Array.from(run, valueOf));
}

function readColumn(source: ByteSource, length: number): Float64Array {
  const values = new Float64Array(length);
  readValues(source, values);
  return values;
}

/** The buckets of each histogram of a run, which share their indexes. */
function readBuckets(
  source: ByteSource,
  length: number,
  indexes: Int32Array,
): (histogram: number) => Buckets {
  const columns = Array.from(indexes, () => readColumn(source, length));
  return (histogram) => ({
    indexes,
    counts: Float64Array.from(columns, (column) => column[histogram] ?? 0),
  });
}

function writeLayout(sink: ByteSink, layout: Layout): void {
  writeSigned(sink, layout.schema);
  writeFloat(sink, layout.zeroThreshold);
  writeIndexes(sink, layout.positive);
  writeIndexes(sink, layout.negative);
  writeVarint(sink, layout.customBounds.length);
  for (const bound of layout.customBounds) writeFloat(sink, bound);
}

function readLayout(source: ByteSource): Layout {
  const schema = readSigned(source);
  const zeroThreshold = readFloat(source);
  const positive = readIndexes(source);
  const negative = readIndexes(source);
  const customBounds = Array.from({ length: readVarint(source) }, () => readFloat(source));
  return { schema, zeroThreshold, positive, negative, customBounds };
}

/** How many, then the distance of each to the one before. */
function writeIndexes(sink: ByteSink, indexes: Int32Array): void {
  writeVarint(sink, indexes.length);
  let previous = 0;
  for (const index of indexes) {
    writeSigned(sink, index - previous);
    previous = index;
  }
}

function readIndexes(source: ByteSource): Int32Array {
  let index = 0;
  return Int32Array.from({ length: readVarint(source) }, () => (index += readSigned(source)));
}

function readHint(source: ByteSource): ResetHint {
  const hint = RESET_HINTS[readVarint(source)];
  if (hint === undefined) throw new CorruptionError("a histogram has an unknown reset hint");
  return hint;
}
