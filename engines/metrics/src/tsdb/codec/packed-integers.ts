import {
  CorruptionError,
  readSigned,
  readVarint,
  reserve,
  writeSigned,
  writeVarint,
  type ByteSink,
  type ByteSource,
} from "./bytes.ts";
import type { ValueSpan } from "./value-span.ts";

/**
 * Differences of noise, each in as many bits as the widest of them needs above the smallest. (Frame of
 * reference: Goldstein, Ramakrishnan and Shaft, "Compressing Relations and Indexes", ICDE 1998.) What takes
 * two bytes each is told by zstd two bits longer than it is, since bytes of both kinds share one table.
 */
export interface Packing {
  smallest: number;
  /** Bits of a difference. */
  width: number;
}

/** With the bits that lie before it in its first byte, one read of four bytes holds a difference. */
const WIDEST = 24;

/** How to pack the differences; null where they lie too far apart. */
export function packingOf(integers: Float64Array): Packing | null {
  let smallest = Infinity;
  let largest = -Infinity;
  for (let index = 1; index < integers.length; index++) {
    const delta = (integers[index] ?? 0) - (integers[index - 1] ?? 0);
    if (delta < smallest) smallest = delta;
    if (delta > largest) largest = delta;
  }
  const range = largest - smallest;
  return range < 2 ** WIDEST ? { smallest, width: 32 - Math.clz32(range) } : null;
}

export function writePacked(sink: ByteSink, integers: Float64Array, { smallest, width }: Packing): void {
  writeSigned(sink, integers[0] ?? 0);
  writeSigned(sink, smallest);
  writeVarint(sink, width);
  reserve(sink, Math.ceil(((integers.length - 1) * width) / 8));
  const { bytes } = sink;
  let waiting = 0;
  let bits = 0;
  for (let index = 1; index < integers.length; index++) {
    waiting |= ((integers[index] ?? 0) - (integers[index - 1] ?? 0) - smallest) << bits;
    for (bits += width; bits >= 8; bits -= 8) {
      bytes[sink.at++] = waiting;
      waiting >>>= 8;
    }
  }
  if (bits > 0) bytes[sink.at++] = waiting;
}

/** The inverse of `writePacked`; each integer is divided by the factor. */
export function readPacked(source: ByteSource, { values, from, to }: ValueSpan, factor: number): void {
  let integer = readSigned(source);
  const smallest = readSigned(source);
  const width = readVarint(source);
  const start = source.at;
  const end = start + Math.ceil(((to - from - 1) * width) / 8);
  const { bytes } = source;
  if (width > WIDEST || end > bytes.length) throw new CorruptionError("packed values end too early");
  const mask = 2 ** width - 1;
  values[from] = factor === 1 ? integer : integer / factor;
  let bit = 0;
  for (let index = from + 1; index < to; index++) {
    const at = start + (bit >>> 3);
    const low = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
    const word = low | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
    integer += ((word >>> (bit & 7)) & mask) + smallest;
    values[index] = factor === 1 ? integer : integer / factor;
    bit += width;
  }
  source.at = end;
}
