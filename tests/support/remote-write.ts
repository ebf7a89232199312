import { setStaleAt } from "@mainstay/metrics/model";
import { ProtoWriter } from "@mainstay/metrics/protobuf";

/** Requests of remote-write as senders make them. */

export interface SentSeries {
  /** As they are written: neither sorted nor checked. */
  labels: readonly (readonly [string, string])[];
  /** "stale": a staleness marker. */
  samples?: readonly (readonly [timestampMs: number, value: number | "stale"])[];
  /** Native histograms of schema 0 with one bucket for values up to 1. */
  histograms?: readonly (readonly [timestampMs: number, count: number])[];
  exemplars?: readonly { traceId: string; value: number; timestampMs: number }[];
  metadata?: { type: number; help: string; unit: string };
}

const VARINT = 0;
const FIXED_64 = 1;
const BYTES = 2;
const CHUNK_BYTES = 65_536;
const TWO_BYTE_LITERAL = 61 << 2;

export const RW1_TYPE = "application/x-protobuf";
export const RW2_TYPE = "application/x-protobuf;proto=io.prometheus.write.v2.Request";

/** `prometheus.WriteRequest`, compressed. */
export function remoteWrite1(series: readonly SentSeries[]): Uint8Array<ArrayBuffer> {
  const writer = new ProtoWriter();
  for (const each of series) {
    message(writer, 1, () => {
      writeLabels(writer, 1, each.labels);
      writeSamples(writer, each, { sample: 2, histogram: 4 });
      for (const exemplar of each.exemplars ?? [])
        message(writer, 3, () => {
          writeLabels(writer, 1, [["trace_id", exemplar.traceId]]);
          writeValue(writer, exemplar);
        });
    });
    const { metadata } = each;
    if (metadata)
      message(writer, 3, () => {
        number(writer, 1, metadata.type);
        text(writer, 2, each.labels.find(([name]) => name === "__name__")?.[1] ?? "");
        text(writer, 4, metadata.help);
        text(writer, 5, metadata.unit);
      });
  }
  return snappy(writer.finish());
}

/** `io.prometheus.write.v2.Request`, compressed. */
export function remoteWrite2(
  series: readonly SentSeries[],
  { firstSymbol = "" }: { firstSymbol?: string } = {},
): Uint8Array<ArrayBuffer> {
  const symbols = [firstSymbol];
  const refOf = (word: string): number => {
    const known = symbols.indexOf(word, 1);
    return known === -1 ? symbols.push(word) - 1 : known;
  };
  const writer = new ProtoWriter();
  const refs = (labels: SentSeries["labels"]) =>
    message(writer, 1, () => labels.flat().forEach((word) => writer.varint(word === "" ? 0 : refOf(word))));
  for (const each of series)
    message(writer, 5, () => {
      refs(each.labels);
      writeSamples(writer, each, { sample: 2, histogram: 3 });
      for (const exemplar of each.exemplars ?? [])
        message(writer, 4, () => {
          refs([["trace_id", exemplar.traceId]]);
          writeValue(writer, exemplar);
        });
      const { metadata } = each;
      if (metadata)
        message(writer, 5, () => {
          number(writer, 1, metadata.type);
          number(writer, 3, refOf(metadata.help));
          number(writer, 4, refOf(metadata.unit));
        });
    });
  for (const symbol of symbols) text(writer, 4, symbol);
  return snappy(writer.finish());
}

function writeLabels(writer: ProtoWriter, field: number, labels: SentSeries["labels"]): void {
  for (const [name, value] of labels)
    message(writer, field, () => {
      text(writer, 1, name);
      text(writer, 2, value);
    });
}

function writeSamples(
  writer: ProtoWriter,
  { samples = [], histograms = [] }: SentSeries,
  fields: { sample: number; histogram: number },
): void {
  for (const [timestampMs, value] of samples)
    message(writer, fields.sample, () => {
      writer.varint(tag(1, FIXED_64));
      writer.doubleFrom(wordsOf(value), 0);
      number(writer, 2, timestampMs);
    });
  for (const [timestampMs, count] of histograms)
    message(writer, fields.histogram, () => {
      number(writer, 1, count);
      writer.varint(tag(3, FIXED_64));
      writer.double(count / 2);
      message(writer, 11, () => number(writer, 2, 1));
      message(writer, 12, () => writer.zigzag(count));
      number(writer, 15, timestampMs);
    });
}

function wordsOf(value: number | "stale"): Uint32Array {
  const column = new Float64Array([value === "stale" ? 0 : value]);
  if (value === "stale") setStaleAt(column, 0);
  return new Uint32Array(column.buffer);
}

function writeValue(
  writer: ProtoWriter,
  { value, timestampMs }: { value: number; timestampMs: number },
): void {
  writer.varint(tag(2, FIXED_64));
  writer.double(value);
  number(writer, 3, timestampMs);
}

function message(writer: ProtoWriter, field: number, write: () => void): void {
  writer.varint(tag(field, BYTES));
  writer.within(write);
}

function text(writer: ProtoWriter, field: number, value: string): void {
  writer.varint(tag(field, BYTES));
  writer.text(value);
}

function number(writer: ProtoWriter, field: number, value: number): void {
  writer.varint(tag(field, VARINT));
  writer.int(value);
}

function tag(field: number, type: number): number {
  return field * 8 + type;
}

/** A snappy block that compresses nothing: its length, then literals. */
export function snappy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = new ProtoWriter();
  length.varint(bytes.length);
  const parts: Uint8Array[] = [length.finish().slice()];
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    const chunk = bytes.subarray(at, at + CHUNK_BYTES);
    const size = chunk.length - 1;
    parts.push(new Uint8Array([TWO_BYTE_LITERAL, size & 0xff, size >> 8]), chunk);
  }
  return new Uint8Array(Buffer.concat(parts));
}
