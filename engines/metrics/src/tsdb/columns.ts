import type { Histogram } from "../histogram.ts";
import type { FloatColumn, HistogramColumn } from "../storage.ts";
import { wordsOf } from "./codec/value-column.ts";

export const NO_FLOATS: FloatColumn = { timestampsMs: new Float64Array(0), values: new Float64Array(0) };
export const NO_HISTOGRAMS: HistogramColumn = { timestampsMs: new Float64Array(0), values: [] };

/** A range of times that holds its first and not its end. */
export interface TimeRange {
  fromMs: number;
  beforeMs: number;
}

/** The first position whose time is not before the given one. */
export function positionOf(timesMs: Float64Array, timeMs: number, count = timesMs.length): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((timesMs[middle] ?? 0) < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A view of what lies in the range. */
export function sliceFloats(column: FloatColumn, { fromMs, beforeMs }: TimeRange): FloatColumn {
  const { timestampsMs, values } = column;
  const start = positionOf(timestampsMs, fromMs);
  const end = positionOf(timestampsMs, beforeMs);
  if (start === 0 && end === timestampsMs.length) return column;
  return { timestampsMs: timestampsMs.subarray(start, end), values: values.subarray(start, end) };
}

export function sliceHistograms(column: HistogramColumn, { fromMs, beforeMs }: TimeRange): HistogramColumn {
  const start = positionOf(column.timestampsMs, fromMs);
  const end = positionOf(column.timestampsMs, beforeMs);
  return {
    timestampsMs: column.timestampsMs.subarray(start, end),
    values: column.values.slice(start, end),
  };
}

/** One column of several; where times meet or overlap, what comes earlier in the list wins. */
export function joinFloats(columns: readonly FloatColumn[]): FloatColumn {
  const filled = columns.filter((each) => each.timestampsMs.length > 0);
  const [first = NO_FLOATS, ...rest] = filled;
  if (rest.length === 0) return first;
  return isRising(filled) ? appendFloats(filled) : rest.reduce(mergeFloats, first);
}

export function joinHistograms(columns: readonly HistogramColumn[]): HistogramColumn {
  const filled = columns.filter((each) => each.timestampsMs.length > 0);
  const [first = NO_HISTOGRAMS, ...rest] = filled;
  return rest.reduce(mergeHistograms, first);
}

function isRising(columns: readonly FloatColumn[]): boolean {
  let lastMs = -Infinity;
  for (const { timestampsMs } of columns) {
    if ((timestampsMs[0] ?? lastMs) <= lastMs) return false;
    lastMs = timestampsMs[timestampsMs.length - 1] ?? lastMs;
  }
  return true;
}

function appendFloats(columns: readonly FloatColumn[]): FloatColumn {
  const count = columns.reduce((sum, each) => sum + each.timestampsMs.length, 0);
  const timestampsMs = new Float64Array(count);
  const values = new Float64Array(count);
  let at = 0;
  for (const column of columns) {
    timestampsMs.set(column.timestampsMs, at);
    values.set(column.values, at);
    at += column.timestampsMs.length;
  }
  return { timestampsMs, values, ...(hasCounts(columns) && { counts: joinCounts(columns) }) };
}

function hasCounts(columns: readonly FloatColumn[]): boolean {
  return columns.some(({ counts }) => counts !== undefined);
}

/** One column after the other; what has no counts is of single samples. */
function joinCounts(columns: readonly FloatColumn[]): Float64Array {
  const joined = new Float64Array(columns.reduce((sum, { values }) => sum + values.length, 0)).fill(1);
  let at = 0;
  for (const { counts, values } of columns) {
    if (counts !== undefined) joined.set(counts, at);
    at += values.length;
  }
  return joined;
}

function mergeFloats(a: FloatColumn, b: FloatColumn): FloatColumn {
  const order = mergeOrder(a.timestampsMs, b.timestampsMs);
  const timestampsMs = new Float64Array(order.length);
  const values = new Float64Array(order.length);
  const words = wordsOf(values);
  const [wordsA, wordsB] = [wordsOf(a.values), wordsOf(b.values)];
  const border = a.timestampsMs.length;
  order.forEach((position, index) => {
    const isA = position < border;
    const at = isA ? position : position - border;
    const source = isA ? wordsA : wordsB;
    timestampsMs[index] = (isA ? a : b).timestampsMs[at] ?? 0;
    words[2 * index] = source[2 * at] ?? 0;
    words[2 * index + 1] = source[2 * at + 1] ?? 0;
  });
  if (!hasCounts([a, b])) return { timestampsMs, values };
  const counts = joinCounts([a, b]);
  return { timestampsMs, values, counts: Float64Array.from(order, (position) => counts[position] ?? 1) };
}

function mergeHistograms(a: HistogramColumn, b: HistogramColumn): HistogramColumn {
  const order = mergeOrder(a.timestampsMs, b.timestampsMs);
  const border = a.timestampsMs.length;
  const values: Histogram[] = [];
  const timestampsMs = new Float64Array(order.length);
  for (const position of order) {
    const [column, at] = position < border ? [a, position] : [b, position - border];
    timestampsMs[values.length] = column.timestampsMs[at] ?? 0;
    const value = column.values[at];
    if (value !== undefined) values.push(value);
  }
  return { timestampsMs, values };
}

/** Positions in a, and behind its length those in b, by time; equal times once, from a. */
function mergeOrder(a: Float64Array, b: Float64Array): number[] {
  const order: number[] = [];
  let atA = 0;
  let atB = 0;
  while (atA < a.length || atB < b.length) {
    const timeA = a[atA] ?? Infinity;
    const timeB = b[atB] ?? Infinity;
    if (timeA <= timeB) order.push(atA);
    else order.push(a.length + atB);
    if (timeA <= timeB) atA++;
    if (timeB <= timeA) atB++;
  }
  return order;
}

/** Leaves out what stands in any of the ranges. */
export function withoutRanges(column: FloatColumn, ranges: readonly TimeRange[]): FloatColumn {
  if (ranges.length === 0) return column;
  return joinFloats(keptRanges(ranges).map((range) => sliceFloats(column, range)));
}

export function histogramsWithoutRanges(
  column: HistogramColumn,
  ranges: readonly TimeRange[],
): HistogramColumn {
  if (ranges.length === 0) return column;
  return joinHistograms(keptRanges(ranges).map((range) => sliceHistograms(column, range)));
}

/** What lies between and around the ranges. */
function keptRanges(ranges: readonly TimeRange[]): TimeRange[] {
  const kept: TimeRange[] = [];
  let fromMs = -Infinity;
  for (const range of ranges.toSorted((a, b) => a.fromMs - b.fromMs)) {
    if (range.fromMs > fromMs) kept.push({ fromMs, beforeMs: range.fromMs });
    fromMs = Math.max(fromMs, range.beforeMs);
  }
  kept.push({ fromMs, beforeMs: Infinity });
  return kept;
}
