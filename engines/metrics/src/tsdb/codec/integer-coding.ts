import { packingOf, type Packing } from "./packed-integers.ts";

/** How a row of integers is told. */
export type IntegerCoding = "deltas" | "deltas of deltas" | Packing;

/** Rows of no more values stay in memory as they are. */
const MOST_OPEN = 64;

/**
 * The coding that is shortest once it is compressed: steady rates by second differences, noise by first ones.
 */
export function codingOf(integers: Float64Array): IntegerCoding {
  if (integers.length <= MOST_OPEN) return secondOrderIsShorter(integers) ? "deltas of deltas" : "deltas";
  const first = compressedBits(integers, 1);
  const second = compressedBits(integers, 2);
  const packing = packingOf(integers);
  const packed = packing === null ? Infinity : packing.width * (integers.length - 1);
  if (packing !== null && packed < Math.min(first, second)) return packing;
  return second < first ? "deltas of deltas" : "deltas";
}

/**
 * The entropy of the differences as bytes (LEB128): what an order-0 coder, as that of zstd, makes of them.
 * (Shannon, "A Mathematical Theory of Communication", 1948, section 6; that few bytes show less of
 * it than there is, is made up for as in Miller, "Note on the Bias of Information Estimates", 1955.)
 */
function compressedBits(integers: Float64Array, order: 1 | 2): number {
  const counts = new Uint32Array(256);
  let bytes = 0;
  let previousDelta = 0;
  for (let index = 1; index < integers.length; index++) {
    const delta = (integers[index] ?? 0) - (integers[index - 1] ?? 0);
    const told = order === 1 ? delta : delta - previousDelta;
    previousDelta = delta;
    let rest = told < 0 ? -2 * told - 1 : 2 * told;
    for (; rest > 127; rest = Math.floor(rest / 128)) {
      const byte = (rest % 128) | 128;
      counts[byte] = (counts[byte] ?? 0) + 1;
      bytes++;
    }
    counts[rest] = (counts[rest] ?? 0) + 1;
    bytes++;
  }
  let bits = bytes * Math.log2(bytes);
  for (const count of counts) if (count > 0) bits += Math.LOG2E / 2 - count * Math.log2(count);
  return bits;
}

/** Which of the two takes fewer bytes as it is, roughly: for what stays in memory, uncompressed. */
function secondOrderIsShorter(integers: Float64Array): boolean {
  let first = 0;
  let second = 0;
  let previous = integers[0] ?? 0;
  let previousDelta = 0;
  for (let index = 1; index < integers.length; index++) {
    const integer = integers[index] ?? 0;
    const delta = integer - previous;
    first += sizeClass(delta);
    second += sizeClass(delta - previousDelta);
    previous = integer;
    previousDelta = delta;
  }
  return second < first;
}

/** Roughly what a number weighs: zeros count nothing, since rows of them compress away. */
function sizeClass(delta: number): number {
  if (delta === 0) return 0;
  const size = Math.abs(delta);
  if (size < 8) return 2;
  if (size < 64) return 4;
  if (size < 8192) return 8;
  return size < 1_048_576 ? 12 : 20;
}
