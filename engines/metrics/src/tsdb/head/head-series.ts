import type { Labels } from "../../labels.ts";
import type { Histogram } from "../../histogram.ts";
import type { FloatColumn, HistogramColumn } from "../../storage.ts";
import { createSink, type ByteSink } from "../codec/bytes.ts";
import { readHistograms, writeHistograms } from "../codec/histogram-column.ts";
import { readTimes, writeTimes } from "../codec/time-column.ts";
import { writeValues } from "../codec/value-column.ts";
import { joinHistograms, NO_FLOATS, NO_HISTOGRAMS, sliceHistograms, type TimeRange } from "../columns.ts";
import {
  chunkBytes,
  createChunkArena,
  type ChunkArena,
  type HeadChunk,
  type SealedChunk,
} from "./chunk-arena.ts";
import { createHeadReader, readFloats } from "./head-reader.ts";
import { createOpenSamples, type OpenSamples } from "./open-samples.ts";

/** A series of the head: sealed chunks, then what is not encoded yet, and beside both what came late. */
export interface HeadSeries {
  readonly ref: number;
  readonly labels: Labels;
  /** Time of the newest sample, float or histogram. */
  lastMs: number;
  /** In the order of time, floats and histograms. */
  chunks: HeadChunk[];
  /** Slot of the open floats; -1 when there are none. */
  slot: number;
  openCount: number;
  openHistograms: OpenHistograms;
  late: FloatColumn;
  lateHistograms: HistogramColumn;
  /** Whether the log knows it. */
  isLogged: boolean;
}

interface OpenHistograms {
  timesMs: number[];
  values: Histogram[];
}

/** Of all series that have none; never altered. */
const NO_OPEN_HISTOGRAMS: OpenHistograms = { timesMs: [], values: [] };

/** Where the samples of all series of a head lie. */
export interface SampleMemory {
  open: OpenSamples;
  arena: ChunkArena;
  scratch: ByteSink;
}

const OPEN_HISTOGRAMS = 32;

export function createSampleMemory(): SampleMemory {
  return { open: createOpenSamples(), arena: createChunkArena(), scratch: createSink(4096) };
}

export function createHeadSeries(ref: number, labels: Labels): HeadSeries {
  return {
    ref,
    labels,
    lastMs: -Infinity,
    chunks: [],
    slot: -1,
    openCount: 0,
    openHistograms: NO_OPEN_HISTOGRAMS,
    late: NO_FLOATS,
    lateHistograms: NO_HISTOGRAMS,
    isLogged: false,
  };
}

/** Turns the open floats into a chunk. */
export function sealFloats(memory: SampleMemory, series: HeadSeries): void {
  if (series.openCount === 0) return;
  addFloatChunk(memory, series, memory.open.view(series.slot, series.openCount));
  memory.open.giveBack(series.slot);
  series.slot = -1;
  series.openCount = 0;
}

/** Adds a histogram behind the newest sample. */
export function pushHistogram(memory: SampleMemory, series: HeadSeries, sample: TimedHistogram): void {
  if (series.openHistograms === NO_OPEN_HISTOGRAMS) series.openHistograms = { timesMs: [], values: [] };
  const { timesMs, values } = series.openHistograms;
  timesMs.push(sample.timestampMs);
  values.push(sample.value);
  series.lastMs = sample.timestampMs;
  if (values.length >= OPEN_HISTOGRAMS) sealHistograms(memory, series);
}

interface TimedHistogram {
  timestampMs: number;
  value: Histogram;
}

function sealHistograms(memory: SampleMemory, series: HeadSeries): void {
  const { timesMs, values } = series.openHistograms;
  if (values.length === 0) return;
  addHistogramChunk(memory, series, { timestampsMs: Float64Array.from(timesMs), values });
  series.openHistograms = NO_OPEN_HISTOGRAMS;
}

function addFloatChunk(memory: SampleMemory, series: HeadSeries, column: FloatColumn): void {
  if (column.timestampsMs.length === 0) return;
  const { scratch } = memory;
  scratch.at = 0;
  writeTimes(scratch, column.timestampsMs);
  writeValues(scratch, column.values);
  addChunk(memory, series, { column, isHistogram: false });
}

function addHistogramChunk(memory: SampleMemory, series: HeadSeries, column: HistogramColumn): void {
  if (column.timestampsMs.length === 0) return;
  const { scratch } = memory;
  scratch.at = 0;
  writeTimes(scratch, column.timestampsMs);
  writeHistograms(scratch, column.values);
  addChunk(memory, series, { column, isHistogram: true });
}

interface EncodedColumn {
  column: FloatColumn | HistogramColumn;
  isHistogram: boolean;
}

function addChunk(memory: SampleMemory, series: HeadSeries, { column, isHistogram }: EncodedColumn): void {
  const { timestampsMs } = column;
  addSealed(memory, series, {
    isHistogram,
    minMs: timestampsMs[0] ?? 0,
    maxMs: timestampsMs[timestampsMs.length - 1] ?? 0,
    count: timestampsMs.length,
    bytes: memory.scratch.bytes.subarray(0, memory.scratch.at),
  });
}

/** Adds a chunk that is encoded already. */
export function addSealed(memory: SampleMemory, series: HeadSeries, chunk: SealedChunk): void {
  // A list of exactly that length: one that is pushed to holds room for a dozen more, in each of the series.
  series.chunks = [...series.chunks, memory.arena.add(chunk)];
  series.lastMs = Math.max(series.lastMs, chunk.maxMs);
}

/** Everything as chunks, for a checkpoint. */
export function* sealedChunks(memory: SampleMemory, series: HeadSeries): Generator<SealedChunk> {
  if (hasLateSamples(series)) dropBefore(memory, series, -Infinity);
  sealFloats(memory, series);
  sealHistograms(memory, series);
  for (const chunk of series.chunks) yield { ...chunk, bytes: chunkBytes(chunk) };
}

/** Floats in the range, those that came late between the others. */
export function readHeadFloats({ open }: SampleMemory, series: HeadSeries, range: TimeRange): FloatColumn {
  return readFloats(createHeadReader(open), series, range);
}

/** Histograms in the range. */
export function readHeadHistograms(series: HeadSeries, range: TimeRange): HistogramColumn {
  if (!hasHistograms(series)) return NO_HISTOGRAMS;
  const { timesMs, values } = series.openHistograms;
  const parts = chunksIn(series, range, true).map((chunk): HistogramColumn => {
    const source = { bytes: chunkBytes(chunk), at: 0 };
    const timestampsMs = new Float64Array(chunk.count);
    readTimes(source, timestampsMs);
    return { timestampsMs, values: readHistograms(source, chunk.count) };
  });
  parts.push({ timestampsMs: Float64Array.from(timesMs), values: [...values] }, series.lateHistograms);
  return sliceHistograms(joinHistograms(parts), range);
}

export function hasHistograms({ openHistograms, lateHistograms, chunks }: HeadSeries): boolean {
  if (openHistograms.values.length > 0 || lateHistograms.values.length > 0) return true;
  return chunks.some((chunk) => chunk.isHistogram);
}

function chunksIn(series: HeadSeries, { fromMs, beforeMs }: TimeRange, isHistogram: boolean): HeadChunk[] {
  return series.chunks.filter(
    (chunk) => chunk.isHistogram === isHistogram && chunk.maxMs >= fromMs && chunk.minMs < beforeMs,
  );
}

/** How many samples a read of the range would decode, at most. */
export function countSamples(series: HeadSeries, { fromMs, beforeMs }: TimeRange): number {
  let count = series.openCount + series.openHistograms.values.length + series.late.timestampsMs.length;
  for (const chunk of series.chunks) {
    if (chunk.maxMs >= fromMs && chunk.minMs < beforeMs) count += chunk.count;
  }
  return count;
}

/** Replaces all that the series holds. */
export function replaceSamples(memory: SampleMemory, series: HeadSeries, kept: KeptSamples): void {
  for (const chunk of series.chunks) memory.arena.remove(chunk);
  if (series.slot !== -1) memory.open.giveBack(series.slot);
  series.chunks = [];
  series.slot = -1;
  series.openCount = 0;
  series.openHistograms = NO_OPEN_HISTOGRAMS;
  series.late = NO_FLOATS;
  series.lateHistograms = NO_HISTOGRAMS;
  addFloatChunk(memory, series, kept.floats);
  addHistogramChunk(memory, series, kept.histograms);
}

export interface KeptSamples {
  floats: FloatColumn;
  histograms: HistogramColumn;
}

/** Forgets what lies before the time, cheaply where whole chunks do. */
export function dropBefore(memory: SampleMemory, series: HeadSeries, timeMs: number): void {
  const isWhole = series.chunks.every((chunk) => chunk.maxMs < timeMs || chunk.minMs >= timeMs);
  const firstOpenMs = series.openCount === 0 ? Infinity : firstOpen(memory, series);
  const firstHistogramMs = series.openHistograms.timesMs[0] ?? Infinity;
  if (isWhole && !hasLateSamples(series) && firstOpenMs >= timeMs && firstHistogramMs >= timeMs) {
    for (const chunk of series.chunks) if (chunk.maxMs < timeMs) memory.arena.remove(chunk);
    series.chunks = series.chunks.filter((chunk) => chunk.maxMs >= timeMs);
    return;
  }
  const range = { fromMs: timeMs, beforeMs: Infinity };
  const floats = readHeadFloats(memory, series, range);
  replaceSamples(memory, series, { floats, histograms: readHeadHistograms(series, range) });
}

function hasLateSamples({ late, lateHistograms }: HeadSeries): boolean {
  return late.timestampsMs.length > 0 || lateHistograms.values.length > 0;
}

function firstOpen(memory: SampleMemory, series: HeadSeries): number {
  return memory.open.view(series.slot, 1).timestampsMs[0] ?? Infinity;
}

export function isEmptySeries(series: HeadSeries): boolean {
  return (
    series.chunks.length === 0 &&
    series.openCount === 0 &&
    series.openHistograms.values.length === 0 &&
    !hasLateSamples(series)
  );
}
