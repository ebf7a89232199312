import type { Histogram, ResetHint, Span } from "../../histogram.ts";
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
type Layout = Pick<
  Histogram,
  "schema" | "zeroThreshold" | "positiveSpans" | "negativeSpans" | "customBounds"
>;

/**
 * Histograms as runs of equal layout; within a run the counts, the sums and each bucket are columns of floats, so a
 * bucket that nobody hits costs next to nothing.
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
function hasSameLayout(a: Layout, b: Layout): boolean {
  return (
    a.schema === b.schema &&
    a.zeroThreshold === b.zeroThreshold &&
    hasSameSpans(a.positiveSpans, b.positiveSpans) &&
    hasSameSpans(a.negativeSpans, b.negativeSpans) &&
    a.customBounds.length === b.customBounds.length &&
    a.customBounds.every((bound, index) => bound === b.customBounds[index])
  );
}

/** Whether two histograms say the same. */
export function isSameHistogram(a: Histogram, b: Histogram): boolean {
  return (
    hasSameLayout(a, b) &&
    Object.is(a.count, b.count) &&
    Object.is(a.sum, b.sum) &&
    Object.is(a.zeroCount, b.zeroCount) &&
    a.positiveCounts.every((count, index) => count === b.positiveCounts[index]) &&
    a.negativeCounts.every((count, index) => count === b.negativeCounts[index])
  );
}

function hasSameSpans(a: readonly Span[], b: readonly Span[]): boolean {
  return (
    a.length === b.length &&
    a.every((span, index) => span.offset === b[index]?.offset && span.length === b[index]?.length)
  );
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
  writeLayout(sink, first);
  for (const { resetHint } of run) writeVarint(sink, RESET_HINTS.indexOf(resetHint));
  writeColumn(sink, run, (each) => each.count);
  writeColumn(sink, run, (each) => each.sum);
  writeColumn(sink, run, (each) => each.zeroCount);
  for (let bucket = 0; bucket < first.positiveCounts.length; bucket++)
    writeColumn(sink, run, (each) => each.positiveCounts[bucket] ?? 0);
  for (let bucket = 0; bucket < first.negativeCounts.length; bucket++)
    writeColumn(sink, run, (each) => each.negativeCounts[bucket] ?? 0);
}

function readRun(source: ByteSource): Histogram[] {
  const length = readVarint(source);
  if (length === 0) throw new CorruptionError("a run of histograms is empty");
  const layout = readLayout(source);
  const hints = Array.from({ length }, () => readHint(source));
  const [counts, sums, zeroCounts] = [0, 1, 2].map(() => readColumn(source, length));
  const positive = readBuckets(source, length, layout.positiveSpans);
  const negative = readBuckets(source, length, layout.negativeSpans);
  return hints.map((resetHint, index) => ({
    ...layout,
    resetHint,
    count: counts?.[index] ?? 0,
    sum: sums?.[index] ?? 0,
    zeroCount: zeroCounts?.[index] ?? 0,
    positiveCounts: Float64Array.from(positive, (bucket) => bucket[index] ?? 0),
    negativeCounts: Float64Array.from(negative, (bucket) => bucket[index] ?? 0),
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

function readBuckets(source: ByteSource, length: number, spans: readonly Span[]): Float64Array[] {
  const buckets = spans.reduce((sum, span) => sum + span.length, 0);
  return Array.from({ length: buckets }, () => readColumn(source, length));
}

function writeLayout(sink: ByteSink, layout: Layout): void {
  writeSigned(sink, layout.schema);
  writeFloat(sink, layout.zeroThreshold);
  for (const spans of [layout.positiveSpans, layout.negativeSpans]) {
    writeVarint(sink, spans.length);
    for (const { offset, length } of spans) {
      writeSigned(sink, offset);
      writeVarint(sink, length);
    }
  }
  writeVarint(sink, layout.customBounds.length);
  for (const bound of layout.customBounds) writeFloat(sink, bound);
}

function readLayout(source: ByteSource): Layout {
  const schema = readSigned(source);
  const zeroThreshold = readFloat(source);
  const positiveSpans = readSpans(source);
  const negativeSpans = readSpans(source);
  const customBounds = Array.from({ length: readVarint(source) }, () => readFloat(source));
  return { schema, zeroThreshold, positiveSpans, negativeSpans, customBounds };
}

function readSpans(source: ByteSource): Span[] {
  return Array.from({ length: readVarint(source) }, () => ({
    offset: readSigned(source),
    length: readVarint(source),
  }));
}

function readHint(source: ByteSource): ResetHint {
  const hint = RESET_HINTS[readVarint(source)];
  if (hint === undefined) throw new CorruptionError("a histogram has an unknown reset hint");
  return hint;
}
