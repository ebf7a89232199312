import { readTimesInto } from "../codec/time-column.ts";
import { readValuesInto, wordsOf } from "../codec/value-column.ts";
import { joinFloats, positionOf, sliceFloats, type TimeRange } from "../columns.ts";
import type { FloatColumn } from "../../storage.ts";
import type { HeadChunk } from "./chunk-arena.ts";
import type { OpenSamples } from "./open-samples.ts";

/** The floats of a series: encoded, open, and what came late. */
export interface HeadFloats {
  readonly chunks: readonly HeadChunk[];
  readonly slot: number;
  readonly openCount: number;
  readonly late: FloatColumn;
}

/**
 * Memory that floats of one series after the other are read into. Series of one target have the same times:
 * these are not decoded again, and handed out as the same object.
 */
export interface HeadReader {
  readonly open: OpenSamples;
  timesMs: Float64Array;
  values: Float64Array;
  words: Uint32Array;
  /** What the times in memory were decoded from. */
  readonly parts: TimesPart[];
  count: number;
  view: TimesView;
}

interface TimesPart {
  from: number;
  count: number;
  /** Where the encoded times lie; null for open samples, whose times are compared one by one. */
  encoded: { bytes: Uint8Array; at: number; sizeBytes: number } | null;
}

/** Which of the times are in the range. */
interface TimesView {
  range: TimeRange;
  start: number;
  end: number;
  timestampsMs: Float64Array;
}

const NO_TIMES = new Float64Array(0);
const NO_VIEW: TimesView = { range: { fromMs: 0, beforeMs: 0 }, start: 0, end: 0, timestampsMs: NO_TIMES };
const NO_SAMPLES = { timesMs: NO_TIMES, values: NO_TIMES, words: new Uint32Array(0) };

export function createHeadReader(open: OpenSamples): HeadReader {
  return { open, ...NO_SAMPLES, parts: [], count: 0, view: NO_VIEW };
}

/** Floats in the range, those that came late between the others. They hold until the next series is read. */
export function readFloats(reader: HeadReader, series: HeadFloats, range: TimeRange): FloatColumn {
  const inOrder = readInOrder(reader, series, range);
  return series.late.timestampsMs.length === 0
    ? inOrder
    : joinFloats([inOrder, sliceFloats(series.late, range)]);
}

function readInOrder(reader: HeadReader, series: HeadFloats, range: TimeRange): FloatColumn {
  reserve(reader, countFloats(series, range));
  let from = 0;
  let nth = 0;
  let areKnown = true;
  for (const chunk of series.chunks) {
    if (!isRead(chunk, range)) continue;
    if (!readChunk(reader, chunk, { nth, from })) areKnown = false;
    from += chunk.count;
    nth += 1;
  }
  if (series.openCount > 0) {
    if (!readOpen(reader, series, { nth, from })) areKnown = false;
    from += series.openCount;
    nth += 1;
  }
  // Behind the last part memory may hold anything: what is known of it must not outlive it.
  if (reader.parts.length !== nth) reader.parts.length = nth;
  if (!areKnown || reader.count !== from || !isSameRange(reader.view.range, range)) {
    reader.count = from;
    reader.view = viewOf(reader, range);
  }
  const { start, end, timestampsMs } = reader.view;
  return { timestampsMs, values: reader.values.subarray(start, end) };
}

function isRead({ isHistogram, minMs, maxMs }: HeadChunk, { fromMs, beforeMs }: TimeRange): boolean {
  return !isHistogram && maxMs >= fromMs && minMs < beforeMs;
}

function isSameRange(a: TimeRange, b: TimeRange): boolean {
  return a.fromMs === b.fromMs && a.beforeMs === b.beforeMs;
}

function viewOf({ timesMs, count }: HeadReader, range: TimeRange): TimesView {
  const start = positionOf(timesMs, range.fromMs, count);
  const end = positionOf(timesMs, range.beforeMs, count);
  return { range, start, end, timestampsMs: timesMs.subarray(start, end) };
}

function countFloats(series: HeadFloats, range: TimeRange): number {
  let count = series.openCount;
  for (const chunk of series.chunks) if (isRead(chunk, range)) count += chunk.count;
  return count;
}

function reserve(reader: HeadReader, count: number): void {
  if (count <= reader.values.length) return;
  const capacity = Math.max(count, 2 * reader.values.length);
  reader.timesMs = new Float64Array(capacity);
  reader.values = new Float64Array(capacity);
  reader.words = wordsOf(reader.values);
  reader.parts.length = 0;
}

interface Place {
  nth: number;
  from: number;
}

/** Whether the times were there already. */
function readChunk(reader: HeadReader, { slab, at, count }: HeadChunk, { nth, from }: Place): boolean {
  const { timesMs, values, words } = reader;
  const source = { bytes: slab.bytes, at };
  const to = from + count;
  const known = reader.parts[nth];
  const isKnown = known?.from === from && known.count === count && isEncodedAs(known, source);
  if (isKnown) source.at += known.encoded?.sizeBytes ?? 0;
  else {
    readTimesInto(source, { timesMs, from, to });
    reader.parts[nth] = { from, count, encoded: { bytes: slab.bytes, at, sizeBytes: source.at - at } };
  }
  readValuesInto(source, { values, words, from, to });
  return isKnown;
}

/**
 * Whether the encoded times of a part begin here. An encoding tells where it ends, so nothing longer does.
 */
function isEncodedAs({ encoded }: TimesPart, { bytes, at }: { bytes: Uint8Array; at: number }): boolean {
  if (encoded === null) return false;
  for (let offset = 0; offset < encoded.sizeBytes; offset++) {
    if (encoded.bytes[encoded.at + offset] !== bytes[at + offset]) return false;
  }
  return true;
}

function readOpen(reader: HeadReader, { slot, openCount }: HeadFloats, { nth, from }: Place): boolean {
  const { timesMs, words } = reader;
  const { slab, start } = reader.open.locate(slot);
  for (let index = 0; index < 2 * openCount; index++) {
    words[2 * from + index] = slab.words[2 * start + index] ?? 0;
  }
  const known = reader.parts[nth];
  let isKnown = known?.from === from && known.count === openCount && known.encoded === null;
  for (let index = 0; index < openCount; index++) {
    const timeMs = slab.times[start + index] ?? 0;
    if (isKnown && timesMs[from + index] !== timeMs) isKnown = false;
    timesMs[from + index] = timeMs;
  }
  if (!isKnown) reader.parts[nth] = { from, count: openCount, encoded: null };
  return isKnown;
}
