import { createBitReader, createXorReader } from "./bit-reader.ts";

/** Reads a chunk as its description has it, with the bits of the values. */
export function readXorChunk(bytes: Uint8Array): { timestampsMs: number[]; bits: bigint[] } {
  const reader = createBitReader(bytes);
  const change = (): bigint => {
    const count = [0, 14, 17, 20, 64][reader.ones(4)] ?? 0;
    return count === 0 ? 0n : reader.signed(count);
  };
  const count = Number(reader.unsigned(16));
  const first = reader.varint();
  let timeMs = first % 2n === 0n ? first / 2n : -(first + 1n) / 2n;
  let deltaMs = 0n;
  const value = reader.unsigned(64);
  const next = createXorReader(reader, value);
  const read = { timestampsMs: [Number(timeMs)], bits: [value] };
  for (let nth = 1; nth < count; nth++) {
    deltaMs = nth === 1 ? reader.varint() : deltaMs + change();
    timeMs += deltaMs;
    read.timestampsMs.push(Number(timeMs));
    read.bits.push(next());
  }
  return read;
}
