import { CUSTOM_BUCKETS_SCHEMA, type Buckets, type Histogram, type ResetHint } from "../histogram.ts";
import { createBitReader, createXorReader, type BitReader } from "./bit-reader.ts";

const HINTS: readonly ResetHint[] = ["unknown", "not-reset", "reset", "gauge"];
const WIDTHS = [0, 3, 6, 9, 12, 18, 25, 56, 64];

/** Reads a chunk of float histograms as its description has it. */
export function readFloatHistogramChunk(bytes: Uint8Array): { timestampsMs: number[]; values: Histogram[] } {
  const reader = createBitReader(bytes);
  const count = Number(reader.unsigned(16));
  const resetHint = HINTS[Number(reader.unsigned(8)) >> 6] ?? "unknown";
  const zeroThreshold = readZeroThreshold(reader);
  const schema = integer(reader);
  const [positive, negative] = [readIndexes(reader), readIndexes(reader)];
  const customBounds = schema === CUSTOM_BUCKETS_SCHEMA ? readBounds(reader) : [];
  let timeMs = integer(reader);
  let deltaMs = 0;
  const width = 3 + positive.length + negative.length;
  const first = Array.from({ length: width }, () => reader.unsigned(64));
  const columns = first.map((bits) => createXorReader(reader, bits));
  const timestampsMs: number[] = [];
  const values: Histogram[] = [];
  for (let nth = 0; nth < count; nth++) {
    if (nth > 0) timeMs += deltaMs += integer(reader);
    const bits = nth === 0 ? first : columns.map((next) => next());
    const [total = 0, zeroCount = 0, sum = 0, ...counts] = bits.map(floatOf);
    timestampsMs.push(timeMs);
    values.push({
      ...{ schema, zeroThreshold, customBounds, count: total, zeroCount, sum },
      positive: bucketsOf(positive, counts.slice(0, positive.length)),
      negative: bucketsOf(negative, counts.slice(positive.length)),
      // Within a chunk there is no reset.
      resetHint: nth === 0 || resetHint === "gauge" ? resetHint : "not-reset",
    });
  }
  return { timestampsMs, values };
}

function integer(reader: BitReader): number {
  const width = WIDTHS[reader.ones(8)] ?? 0;
  return width === 0 ? 0 : Number(reader.signed(width));
}

function natural(reader: BitReader): number {
  return Number(reader.unsigned(WIDTHS[reader.ones(8)] ?? 0));
}

function floatOf(bits: bigint): number {
  return new Float64Array(BigUint64Array.of(bits).buffer)[0] ?? 0;
}

function readZeroThreshold(reader: BitReader): number {
  const byte = Number(reader.unsigned(8));
  if (byte === 255) return floatOf(reader.unsigned(64));
  return byte === 0 ? 0 : 2 ** (byte - 244);
}

function readIndexes(reader: BitReader): number[] {
  const indexes: number[] = [];
  let next = 0;
  for (let left = natural(reader); left > 0; left--) {
    const length = natural(reader);
    next += integer(reader);
    for (let nth = 0; nth < length; nth++) indexes.push(next++);
  }
  return indexes;
}

function readBounds(reader: BitReader): number[] {
  return Array.from({ length: natural(reader) }, () => {
    const thousandths = natural(reader);
    return thousandths === 0 ? floatOf(reader.unsigned(64)) : (thousandths - 1) / 1000;
  });
}

function bucketsOf(indexes: readonly number[], counts: readonly number[]): Buckets {
  return { indexes: Int32Array.from(indexes), counts: Float64Array.from(counts) };
}
