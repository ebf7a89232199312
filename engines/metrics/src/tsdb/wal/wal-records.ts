import { sortedLabels, type Labels } from "../../labels.ts";
import type { HistogramSample, Metadata, SampleBatch, ExemplarSample } from "../batch.ts";
import {
  bytesLeft,
  CorruptionError,
  readBytes,
  readFloat,
  readSigned,
  readText,
  readVarint,
  reserve,
  viewOf,
  writeBytes,
  writeFloat,
  writeSigned,
  writeText,
  writeVarint,
  type ByteSink,
  type ByteSource,
} from "../codec/bytes.ts";
import { readHistograms, writeHistograms } from "../codec/histogram-column.ts";
import { wordsOf } from "../codec/value-column.ts";
import type { TimeRange } from "../columns.ts";
import type { SealedChunk } from "../head/chunk-arena.ts";

/** A frame is a row of records, each of one of these kinds. */
const SERIES = 1;
const SAMPLES = 2;
const HISTOGRAM = 3;
const EXEMPLAR = 4;
const METADATA = 5;
const DELETION = 6;
const CHUNK = 7;
const CUT = 8;
const PASSED_OVER = 9;
const NEXT_REF = 10;
/** The longest a reference, a time and the value of a sample can get. */
const SAMPLE_BYTES = 24;

/** What somebody who reads the log does with it. */
export interface WalReader {
  onSeries(ref: number, labels: Labels): void;
  onSamples(batch: SampleBatch): void;
  onHistogram(sample: HistogramSample): void;
  onExemplar(exemplar: ExemplarSample): void;
  onMetadata(metadata: Metadata): void;
  onDeletion(refs: readonly number[], range: TimeRange): void;
  onChunk(ref: number, chunk: SealedChunk): void;
  /** Everything before this time is in blocks. */
  onCut(timeMs: number): void;
  /** Of the frame before: what the head did not take, or had already. */
  onPassedOver(passed: PassedOver): void;
  /** Every reference below it has been given out, also those of series that have ended. */
  onNextRef(ref: number): void;
}

/** Positions in a frame, rising. */
export interface PassedOver {
  samples: readonly number[];
  histograms: readonly number[];
}

export function writeSeries(sink: ByteSink, ref: number, labels: Labels): void {
  writeVarint(sink, SERIES);
  writeVarint(sink, ref);
  writeLabels(sink, labels);
}

export function writeSamples(sink: ByteSink, batch: SampleBatch): void {
  const { refs, timestampsMs, count } = batch;
  writeVarint(sink, SAMPLES);
  writeVarint(sink, count);
  reserve(sink, count * SAMPLE_BYTES);
  const { bytes } = sink;
  const view = viewOf(bytes);
  const words = wordsOf(batch.values);
  let previousRef = 0;
  let previousMs = 0;
  for (let index = 0; index < count; index++) {
    const ref = refs[index] ?? 0;
    const timeMs = timestampsMs[index] ?? 0;
    // Most follow the series before, at its time: what is told in one byte is written in place.
    const step = ref - previousRef;
    const stepMs = timeMs - previousMs;
    if (step > 0 && step < 64) bytes[sink.at++] = 2 * step;
    else writeSigned(sink, step);
    if (stepMs === 0) bytes[sink.at++] = 0;
    else writeSigned(sink, stepMs);
    view.setUint32(sink.at, words[2 * index] ?? 0, true);
    view.setUint32(sink.at + 4, words[2 * index + 1] ?? 0, true);
    sink.at += 8;
    previousRef = ref;
    previousMs = timeMs;
  }
}

export function writeHistogram(sink: ByteSink, { ref, timestampMs, value }: HistogramSample): void {
  writeVarint(sink, HISTOGRAM);
  writeVarint(sink, ref);
  writeSigned(sink, timestampMs);
  writeHistograms(sink, [value]);
}

export function writeExemplar(sink: ByteSink, { ref, timestampMs, value, labels }: ExemplarSample): void {
  writeVarint(sink, EXEMPLAR);
  writeVarint(sink, ref);
  writeSigned(sink, timestampMs);
  writeFloat(sink, value);
  writeLabels(sink, labels);
}

export function writeMetadata(sink: ByteSink, { metric, type, help, unit }: Metadata): void {
  writeVarint(sink, METADATA);
  for (const text of [metric, type, help, unit]) writeText(sink, text);
}

export function writeDeletion(sink: ByteSink, refs: readonly number[], range: TimeRange): void {
  writeVarint(sink, DELETION);
  writeFloat(sink, range.fromMs);
  writeFloat(sink, range.beforeMs);
  writeVarint(sink, refs.length);
  for (const ref of refs) writeVarint(sink, ref);
}

export function writeChunk(sink: ByteSink, ref: number, chunk: SealedChunk): void {
  writeVarint(sink, CHUNK);
  writeVarint(sink, ref);
  writeVarint(sink, chunk.isHistogram ? 1 : 0);
  writeSigned(sink, chunk.minMs);
  writeSigned(sink, chunk.maxMs);
  writeVarint(sink, chunk.count);
  writeBytes(sink, chunk.bytes);
}

export function writeCut(sink: ByteSink, timeMs: number): void {
  writeVarint(sink, CUT);
  writeFloat(sink, timeMs);
}

export function writePassedOver(sink: ByteSink, { samples, histograms }: PassedOver): void {
  writeVarint(sink, PASSED_OVER);
  for (const positions of [samples, histograms]) {
    writeVarint(sink, positions.length);
    for (const position of positions) writeVarint(sink, position);
  }
}

export function writeNextRef(sink: ByteSink, ref: number): void {
  writeVarint(sink, NEXT_REF);
  writeVarint(sink, ref);
}

/** Whether a frame says what was passed over of the one before it. */
export function saysWhatWasPassedOver(payload: Uint8Array): boolean {
  return payload[0] === PASSED_OVER;
}

/** Hands every record of a frame to the reader. */
export function readRecords(payload: Uint8Array, reader: WalReader): void {
  const source: ByteSource = { bytes: payload, at: 0 };
  while (bytesLeft(source) > 0) readRecord(source, reader);
}

function readRecord(source: ByteSource, reader: WalReader): void {
  const kind = readVarint(source);
  switch (kind) {
    case SERIES:
      return reader.onSeries(readVarint(source), readLabels(source));
    case SAMPLES:
      return reader.onSamples(readSamples(source));
    case HISTOGRAM:
      return reader.onHistogram(readHistogram(source));
    case EXEMPLAR:
      return reader.onExemplar({
        ref: readVarint(source),
        timestampMs: readSigned(source),
        value: readFloat(source),
        labels: readLabels(source),
      });
    case METADATA: {
      const [metric = "", type = "", help = "", unit = ""] = [0, 1, 2, 3].map(() => readText(source));
      return reader.onMetadata({ metric, type, help, unit });
    }
    case DELETION: {
      const range = { fromMs: readFloat(source), beforeMs: readFloat(source) };
      const refs = Array.from({ length: readVarint(source) }, () => readVarint(source));
      return reader.onDeletion(refs, range);
    }
    case CHUNK:
      return reader.onChunk(readVarint(source), readChunk(source));
    case CUT:
      return reader.onCut(readFloat(source));
    case PASSED_OVER:
      return reader.onPassedOver({ samples: readPositions(source), histograms: readPositions(source) });
    case NEXT_REF:
      return reader.onNextRef(readVarint(source));
    default:
      throw new CorruptionError(`the log holds a record of the unknown kind ${kind}`);
  }
}

function readSamples(source: ByteSource): SampleBatch {
  const count = readVarint(source);
  if (count * 10 > bytesLeft(source)) throw new CorruptionError("the log holds fewer samples than it says");
  const refs = new Float64Array(count);
  const timestampsMs = new Float64Array(count);
  const values = new Float64Array(count);
  const words = wordsOf(values);
  const view = viewOf(source.bytes);
  let ref = 0;
  let timeMs = 0;
  for (let index = 0; index < count; index++) {
    refs[index] = ref += readSigned(source);
    timestampsMs[index] = timeMs += readSigned(source);
    words[2 * index] = view.getUint32(source.at, true);
    words[2 * index + 1] = view.getUint32(source.at + 4, true);
    source.at += 8;
  }
  return { refs, timestampsMs, values, count };
}

function readPositions(source: ByteSource): number[] {
  const count = readVarint(source);
  if (count > bytesLeft(source)) throw new CorruptionError("the log holds fewer positions than it says");
  return Array.from({ length: count }, () => readVarint(source));
}

function readHistogram(source: ByteSource): HistogramSample {
  const ref = readVarint(source);
  const timestampMs = readSigned(source);
  const [value] = readHistograms(source, 1);
  if (value === undefined) throw new CorruptionError("the log holds an empty histogram");
  return { ref, timestampMs, value };
}

function readChunk(source: ByteSource): SealedChunk {
  return {
    isHistogram: readVarint(source) === 1,
    minMs: readSigned(source),
    maxMs: readSigned(source),
    count: readVarint(source),
    bytes: readBytes(source),
  };
}

function writeLabels(sink: ByteSink, { names, values }: Labels): void {
  writeVarint(sink, names.length);
  names.forEach((name, index) => {
    writeText(sink, name);
    writeText(sink, values[index] ?? "");
  });
}

function readLabels(source: ByteSource): Labels {
  const names: string[] = [];
  const values: string[] = [];
  const count = readVarint(source);
  for (let index = 0; index < count; index++) {
    names.push(readText(source));
    values.push(readText(source));
  }
  return sortedLabels(names, values);
}
