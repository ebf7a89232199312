/**
 * Bytes that are being written: `at` is the end of what is
 * there. A plain object, since it stands in the hot paths.
 */
export interface ByteSink {
  bytes: Uint8Array;
  at: number;
}

/** Bytes that are being read from `at` on. */
export interface ByteSource {
  readonly bytes: Uint8Array;
  at: number;
}

/** Bytes on disk that are not what was written there. */
export class CorruptionError extends Error {
  override name = "CorruptionError";
}

const LOW_31_BITS = 0x7fff_ffff;
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

export function createSink(capacityBytes = 1024): ByteSink {
  return { bytes: new Uint8Array(capacityBytes), at: 0 };
}

/** What was written, as a copy of its own. */
export function takeBytes(sink: ByteSink): Uint8Array {
  return sink.bytes.slice(0, sink.at);
}

/** Makes room for that many bytes more. */
export function reserve(sink: ByteSink, sizeBytes: number): void {
  const needed = sink.at + sizeBytes;
  if (needed <= sink.bytes.length) return;
  const grown = new Uint8Array(Math.max(needed, sink.bytes.length * 2));
  grown.set(sink.bytes.subarray(0, sink.at));
  sink.bytes = grown;
}

/** LEB128 of a whole number from 0 to 2^53; at most eight bytes. */
export function writeVarint(sink: ByteSink, value: number): void {
  if (sink.at + 8 > sink.bytes.length) reserve(sink, 8);
  const { bytes } = sink;
  let rest = value;
  while (rest > LOW_31_BITS) {
    bytes[sink.at++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  while (rest > 127) {
    bytes[sink.at++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  bytes[sink.at++] = rest;
}

export function readVarint(source: ByteSource): number {
  const { bytes } = source;
  const first = bytes[source.at++] ?? truncated();
  if (first < 128) return first;
  let value = first & 127;
  let factor = 128;
  for (;;) {
    const byte = bytes[source.at++] ?? truncated();
    value += (byte & 127) * factor;
    if (byte < 128) return value;
    factor *= 128;
    if (factor > Number.MAX_SAFE_INTEGER) throw new CorruptionError("a number is longer than eight bytes");
  }
}

/** Whole numbers from -2^52 to 2^52: 0, -1, 1, -2 … become 0, 1, 2, 3 …. */
export function writeSigned(sink: ByteSink, value: number): void {
  writeVarint(sink, value < 0 ? -2 * value - 1 : 2 * value);
}

export function readSigned(source: ByteSource): number {
  const value = readVarint(source);
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/** Length in bytes, then UTF-8. */
export function writeText(sink: ByteSink, text: string): void {
  if (!writePlain(sink, text)) writeBytes(sink, ENCODER.encode(text));
}

/** Names and values are mostly short and ASCII: these are written faster than an encoder is called. */
function writePlain(sink: ByteSink, text: string): boolean {
  const { length } = text;
  if (length > 127) return false;
  reserve(sink, length + 1);
  const { bytes, at } = sink;
  bytes[at] = length;
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    if (code > 127) return false;
    bytes[at + 1 + index] = code;
  }
  sink.at = at + 1 + length;
  return true;
}

export function readText(source: ByteSource): string {
  return DECODER.decode(readBytes(source));
}

/** Length, then the bytes. */
export function writeBytes(sink: ByteSink, bytes: Uint8Array): void {
  writeVarint(sink, bytes.length);
  writeRaw(sink, bytes);
}

/** A view of the source. */
export function readBytes(source: ByteSource): Uint8Array {
  return readRaw(source, readVarint(source));
}

export function writeRaw(sink: ByteSink, bytes: Uint8Array): void {
  reserve(sink, bytes.length);
  sink.bytes.set(bytes, sink.at);
  sink.at += bytes.length;
}

function readRaw(source: ByteSource, sizeBytes: number): Uint8Array {
  const end = source.at + sizeBytes;
  if (end > source.bytes.length) truncated();
  const view = source.bytes.subarray(source.at, end);
  source.at = end;
  return view;
}

/**
 * Eight bytes, little-endian; a NaN that comes as a number
 * loses its payload, floats in columns go another way.
 */
export function writeFloat(sink: ByteSink, value: number): void {
  reserve(sink, 8);
  viewOf(sink.bytes).setFloat64(sink.at, value, true);
  sink.at += 8;
}

export function readFloat(source: ByteSource): number {
  const bytes = readRaw(source, 8);
  return viewOf(bytes).getFloat64(0, true);
}

/** How many bytes are left. */
export function bytesLeft(source: ByteSource): number {
  return source.bytes.length - source.at;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function truncated(): never {
  throw new CorruptionError("the bytes end too early");
}
