import { CUSTOM_BUCKETS_SCHEMA, type Buckets, type Histogram } from "../../histogram.ts";
import type { HistogramColumn } from "../../storage.ts";
import { BitWriter, fitsBits } from "./bit-writer.ts";
import { spansOf } from "../messages/spans.ts";
import { startXor, writeXor, type XorState } from "./xor-values.ts";

/** What the chunk says of a reset between the one before and its first histogram; gauges have none. */
const FLAGS = { unknown: 0b00, "not-reset": 0b01, reset: 0b10, gauge: 0b11 } as const;

/** The words of the float beside them. */
const FLOAT = new Float64Array(1);
const WORDS = new Uint32Array(FLOAT.buffer);

/**
 * Histograms that `isSameChunk` of each other as a chunk of Prometheus: what they share once,
 * then a column of numbers each. (Prometheus, "Chunks Disk Format", float histogram chunk data.)
 */
export function encodeFloatHistogramChunk({
  timestampsMs,
  values,
}: HistogramColumn): Uint8Array<ArrayBuffer> {
  const [first] = values;
  if (first === undefined) throw new RangeError("a chunk of no histograms");
  const writer = new BitWriter();
  writer.bits(values.length, 16);
  writer.bits(FLAGS[first.resetHint] << 6, 8);
  writeLayout(writer, first);
  let lastMs = timestampsMs[0] ?? 0;
  let lastDeltaMs = 0;
  writeInteger(writer, lastMs);
  const states = numbersOf(first).map((number): XorState => {
    writer.float(number);
    FLOAT[0] = number;
    return startXor(WORDS[1] ?? 0, WORDS[0] ?? 0);
  });
  for (const [index, histogram] of values.entries()) {
    if (index === 0) continue;
    const timeMs = timestampsMs[index] ?? 0;
    const deltaMs = timeMs - lastMs;
    writeInteger(writer, deltaMs - lastDeltaMs);
    numbersOf(histogram).forEach((number, nth) => {
      FLOAT[0] = number;
      const state = states[nth];
      if (state !== undefined) writeXor(writer, state, { high: WORDS[1] ?? 0, low: WORDS[0] ?? 0 });
    });
    lastMs = timeMs;
    lastDeltaMs = deltaMs;
  }
  return writer.take();
}

/** Whether a histogram can follow another in its chunk: the same buckets, and no reset between them. */
export function isSameChunk(before: Histogram, next: Histogram): boolean {
  const isGauge = before.resetHint === "gauge";
  if (isGauge !== (next.resetHint === "gauge") || next.resetHint === "reset") return false;
  const hasSameBuckets =
    before.schema === next.schema &&
    before.zeroThreshold === next.zeroThreshold &&
    isEqual(before.positive.indexes, next.positive.indexes) &&
    isEqual(before.negative.indexes, next.negative.indexes) &&
    isEqual(before.customBounds, next.customBounds);
  if (!hasSameBuckets || isGauge) return hasSameBuckets;
  const grown = numbersOf(next);
  // The sum, in the third place, may fall.
  return numbersOf(before).every((number, nth) => nth === 2 || number <= (grown[nth] ?? 0));
}

function isEqual(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}

function numbersOf({ count, zeroCount, sum, positive, negative }: Histogram): number[] {
  return [count, zeroCount, sum, ...positive.counts, ...negative.counts];
}

function writeLayout(writer: BitWriter, histogram: Histogram): void {
  const { schema, zeroThreshold, positive, negative, customBounds } = histogram;
  writeZeroThreshold(writer, zeroThreshold);
  writeInteger(writer, schema);
  writeSpans(writer, positive);
  writeSpans(writer, negative);
  if (schema !== CUSTOM_BUCKETS_SCHEMA) return;
  writeCount(writer, customBounds.length);
  for (const bound of customBounds) writeBound(writer, bound);
}

function writeSpans(writer: BitWriter, buckets: Buckets): void {
  const spans = spansOf(buckets);
  writeCount(writer, spans.length);
  for (const { offset, length } of spans) {
    writeCount(writer, length);
    writeInteger(writer, offset);
  }
}

const WHOLE = 255;
const LEAST_EXPONENT = -243;
const GREATEST_EXPONENT = 10;

/** A power of two takes one byte, with 1 for 2^-243; any other number nine. */
function writeZeroThreshold(writer: BitWriter, threshold: number): void {
  if (threshold === 0) return writer.bits(0, 8);
  const exponent = Math.log2(threshold);
  const isShort =
    Number.isInteger(exponent) &&
    2 ** exponent === threshold &&
    exponent >= LEAST_EXPONENT &&
    exponent <= GREATEST_EXPONENT;
  if (isShort) return writer.bits(exponent - LEAST_EXPONENT + 1, 8);
  writer.bits(WHOLE, 8);
  writer.float(threshold);
}

const THOUSANDTHS_MAX = 33_554_430;

/** What has at most three decimals is written as thousandths, and one, for 0 stands for a float. */
function writeBound(writer: BitWriter, bound: number): void {
  const thousandths = Math.round(bound * 1000);
  const isShort = bound >= 0 && bound * 1000 <= THOUSANDTHS_MAX && thousandths / 1000 === bound;
  if (isShort) return writeCount(writer, thousandths + 1);
  writer.bits(0, 1);
  writer.float(bound);
}

const WIDTHS = [3, 6, 9, 12, 18, 25, 56] as const;

/** A prefix that says how many bits follow, for numbers of either sign. */
function writeInteger(writer: BitWriter, value: number): void {
  if (value === 0) return writer.bits(0, 1);
  const nth = WIDTHS.findIndex((width) => fitsBits(value, width));
  if (nth === -1) return writer.prefixed("11111111", value, 64);
  writer.prefixed(`${"1".repeat(nth + 1)}0`, value, WIDTHS[nth] ?? 0);
}

/** The same for numbers that are not negative. */
function writeCount(writer: BitWriter, value: number): void {
  if (value === 0) return writer.bits(0, 1);
  const nth = WIDTHS.findIndex((width) => value < 2 ** width);
  if (nth === -1) return writer.prefixed("11111111", value, 64);
  writer.prefixed(`${"1".repeat(nth + 1)}0`, value, WIDTHS[nth] ?? 0);
}
