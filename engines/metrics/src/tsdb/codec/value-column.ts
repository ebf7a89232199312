import {
  CorruptionError,
  readSigned,
  readVarint,
  reserve,
  writeRaw,
  writeSigned,
  writeVarint,
  type ByteSink,
  type ByteSource,
} from "./bytes.ts";
import { codingOf } from "./integer-coding.ts";
import { readPacked, writePacked } from "./packed-integers.ts";
import { factorOf, scaleToIntegers, type Scaled } from "./scaled-integers.ts";
import type { ValueSpan } from "./value-span.ts";

/**
 * How the values of a column are written; the first byte
 * of it. Integers carry their scale in the next.
 */
const CONSTANT = 0;
const DELTAS = 1;
const DELTAS_OF_DELTAS = 2;
const PLANES = 3;
const PACKED = 4;
const FLOAT_BYTES = 8;

/**
 * Floats, bit for bit. Values that are whole numbers of some decimal place, or multiples of some
 * power of two, become small integers; what occurs between them that no integer can say (NaN with
 * its payload, infinities, -0) is listed apart. Everything else is XORed with the value before
 * and laid out byte plane by byte plane, in which zstd finds the bytes that hardly change.
 */
export function writeValues(sink: ByteSink, values: Float64Array): void {
  if (values.length === 0) return;
  if (isConstant(values)) return writeConstant(sink, values);
  const scaled = scaleToIntegers(values);
  if (scaled === null) return writePlanes(sink, values);
  writeIntegers(sink, values, scaled);
}

/** The inverse of `writeValues`: fills the array. */
export function readValues(source: ByteSource, values: Float64Array): void {
  readValuesInto(source, { values, words: wordsOf(values), from: 0, to: values.length });
}

/** The same for a part of a larger column. */
export function readValuesInto(source: ByteSource, span: ValueSpan): void {
  if (span.to === span.from) return;
  const mode = readVarint(source);
  if (mode === CONSTANT) readConstant(source, span);
  else if (mode === PLANES) readPlanes(source, span);
  else if (mode === DELTAS || mode === DELTAS_OF_DELTAS) readIntegers(source, span, mode);
  else if (mode === PACKED) readPackedIntegers(source, span);
  else throw new CorruptionError(`a column of values is written in the unknown way ${mode}`);
}

/** The two halves of each value, low word first, as they lie in memory. */
export function wordsOf(values: Float64Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
}

function isConstant(values: Float64Array): boolean {
  const words = wordsOf(values);
  const [low, high] = words;
  for (let index = 2; index < words.length; index += 2) {
    if (words[index] !== low || words[index + 1] !== high) return false;
  }
  return true;
}

function writeConstant(sink: ByteSink, values: Float64Array): void {
  writeVarint(sink, CONSTANT);
  writeRaw(sink, bytesOf(values.subarray(0, 1)));
}

function readConstant(source: ByteSource, { words, from, to }: ValueSpan): void {
  const low = readWord(source);
  const high = readWord(source);
  for (let index = 2 * from; index < 2 * to; index += 2) {
    words[index] = low;
    words[index + 1] = high;
  }
}

/** Four bytes, little-endian, as a signed number: a word that is stored has the same bits. */
function readWord(source: ByteSource): number {
  const { bytes, at } = source;
  const last = bytes[at + 3];
  if (last === undefined) throw new CorruptionError("a column of values ends too early");
  source.at = at + 4;
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | (last << 24);
}

function writeIntegers(sink: ByteSink, values: Float64Array, scaled: Scaled): void {
  const { integers, scale, specials } = scaled;
  const coding = codingOf(integers);
  const isSecondOrder = coding === "deltas of deltas";
  if (typeof coding === "object") {
    writeVarint(sink, PACKED);
    writeVarint(sink, scale);
    writePacked(sink, integers, coding);
    return writeSpecials(sink, values, specials);
  }
  writeVarint(sink, isSecondOrder ? DELTAS_OF_DELTAS : DELTAS);
  writeVarint(sink, scale);
  let previous = 0;
  let previousDelta = 0;
  for (let index = 0; index < integers.length; index++) {
    const integer = integers[index] ?? 0;
    const delta = integer - previous;
    writeSigned(sink, isSecondOrder ? delta - previousDelta : delta);
    previous = integer;
    previousDelta = index === 0 ? 0 : delta;
  }
  writeSpecials(sink, values, specials);
}

/**
 * Every query spends its time here: most differences are one or two bytes, which are taken apart in place.
 */
function readIntegers(source: ByteSource, span: ValueSpan, mode: number): void {
  const factor = readFactor(source);
  const isSecondOrder = mode === DELTAS_OF_DELTAS;
  const { values, from, to } = span;
  const { bytes } = source;
  let { at } = source;
  let integer = 0;
  let delta = 0;
  for (let index = from; index < to; index++) {
    const first = bytes[at] ?? 128;
    const second = bytes[at + 1] ?? 128;
    let read: number;
    if (first < 128) {
      read = (first >>> 1) ^ -(first & 1);
      at += 1;
    } else if (second < 128) {
      const folded = (first & 127) | (second << 7);
      read = (folded >>> 1) ^ -(folded & 1);
      at += 2;
    } else {
      source.at = at;
      read = readSigned(source);
      at = source.at;
    }
    delta = isSecondOrder ? delta + read : read;
    integer += delta;
    values[index] = factor === 1 ? integer : integer / factor;
    if (index === from) delta = 0;
  }
  source.at = at;
  readSpecials(source, span);
}

function readPackedIntegers(source: ByteSource, span: ValueSpan): void {
  readPacked(source, span, readFactor(source));
  readSpecials(source, span);
}

function readFactor(source: ByteSource): number {
  const scale = readVarint(source);
  const factor = factorOf(scale);
  if (factor === null) throw new CorruptionError(`a column of values has the unknown scale ${scale}`);
  return factor;
}

/** Positions as distances, each followed by the eight bytes that belong there. */
function writeSpecials(sink: ByteSink, values: Float64Array, specials: readonly number[]): void {
  writeVarint(sink, specials.length);
  let previous = 0;
  for (const index of specials) {
    writeVarint(sink, index - previous);
    writeRaw(sink, bytesOf(values.subarray(index, index + 1)));
    previous = index;
  }
}

function readSpecials(source: ByteSource, { words, from, to }: ValueSpan): void {
  const count = readVarint(source);
  let index = from;
  for (let nth = 0; nth < count; nth++) {
    index += readVarint(source);
    if (index >= to) throw new CorruptionError("a column of values has one behind its end");
    words[2 * index] = readWord(source);
    words[2 * index + 1] = readWord(source);
  }
}

function writePlanes(sink: ByteSink, values: Float64Array): void {
  writeVarint(sink, PLANES);
  const count = values.length;
  reserve(sink, count * FLOAT_BYTES);
  const words = wordsOf(values);
  const { bytes, at } = sink;
  let low = 0;
  let high = 0;
  for (let index = 0; index < count; index++) {
    const nextLow = words[2 * index] ?? 0;
    const nextHigh = words[2 * index + 1] ?? 0;
    const xorLow = nextLow ^ low;
    const xorHigh = nextHigh ^ high;
    for (let plane = 0; plane < 4; plane++) {
      bytes[at + plane * count + index] = xorLow >>> (8 * plane);
      bytes[at + (plane + 4) * count + index] = xorHigh >>> (8 * plane);
    }
    low = nextLow;
    high = nextHigh;
  }
  sink.at += count * FLOAT_BYTES;
}

function readPlanes(source: ByteSource, { words, from, to }: ValueSpan): void {
  const { bytes, at } = source;
  const count = to - from;
  if (at + count * FLOAT_BYTES > bytes.length) throw new CorruptionError("a column of values ends too early");
  const byteAt = (plane: number, index: number) => bytes[at + plane * count + index] ?? 0;
  let low = 0;
  let high = 0;
  for (let index = 0; index < count; index++) {
    low ^= byteAt(0, index) | (byteAt(1, index) << 8) | (byteAt(2, index) << 16) | (byteAt(3, index) << 24);
    high ^= byteAt(4, index) | (byteAt(5, index) << 8) | (byteAt(6, index) << 16) | (byteAt(7, index) << 24);
    words[2 * (from + index)] = low;
    words[2 * (from + index) + 1] = high;
  }
  source.at = at + count * FLOAT_BYTES;
}

function bytesOf(values: Float64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
