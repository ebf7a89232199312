/**
 * The codec of Pelkonen et al., "Gorilla: A Fast, Scalable, In-Memory Time
 * Series Database" (VLDB 2015), with the bit widths that Prometheus uses for
 * differences of distances. Here to compare with; the product does not use it.
 */
interface BitSink {
  bytes: Uint8Array;
  bit: number;
}

const WIDTHS = [
  { prefix: 0b10, prefixBits: 2, bits: 14 },
  { prefix: 0b110, prefixBits: 3, bits: 17 },
  { prefix: 0b1110, prefixBits: 4, bits: 20 },
] as const;

/** Encodes a series; returns the bytes it takes. */
export function encodeGorilla(timesMs: Float64Array, values: Float64Array): Uint8Array {
  const sink: BitSink = { bytes: new Uint8Array(timesMs.length * 20 + 32), bit: 0 };
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  let stepMs = 0;
  let leading = 65;
  let trailing = 0;
  for (let index = 0; index < timesMs.length; index++) {
    if (index === 0) {
      writeWide(sink, timesMs[0] ?? 0);
      writeBits(sink, words[1] ?? 0, 32);
      writeBits(sink, words[0] ?? 0, 32);
      continue;
    }
    const nextStepMs = (timesMs[index] ?? 0) - (timesMs[index - 1] ?? 0);
    writeStep(sink, nextStepMs - stepMs);
    stepMs = nextStepMs;
    const high = (words[2 * index + 1] ?? 0) ^ (words[2 * index - 1] ?? 0);
    const low = (words[2 * index] ?? 0) ^ (words[2 * index - 2] ?? 0);
    if (high === 0 && low === 0) {
      writeBits(sink, 0, 1);
      continue;
    }
    const zerosBefore = Math.min(31, high === 0 ? 32 + Math.clz32(low) : Math.clz32(high));
    const zerosAfter = low === 0 ? 32 + trailingZeros(high) : trailingZeros(low);
    const fits = leading <= zerosBefore && trailing <= zerosAfter;
    if (!fits) [leading, trailing] = [zerosBefore, zerosAfter];
    writeBits(sink, fits ? 0b10 : 0b11, 2);
    if (!fits) {
      writeBits(sink, leading, 5);
      writeBits(sink, (64 - leading - trailing) & 63, 6);
    }
    writeMeaning(sink, { high, low }, { leading, trailing });
  }
  return sink.bytes.subarray(0, (sink.bit + 7) >> 3);
}

function writeStep(sink: BitSink, change: number): void {
  if (change === 0) return writeBits(sink, 0, 1);
  for (const { prefix, prefixBits, bits } of WIDTHS) {
    const half = 2 ** (bits - 1);
    if (change <= -half || change > half) continue;
    writeBits(sink, prefix, prefixBits);
    return writeBits(sink, change & (2 ** bits - 1), bits);
  }
  writeBits(sink, 0b1111, 4);
  writeWide(sink, change);
}

function writeWide(sink: BitSink, value: number): void {
  writeBits(sink, Math.floor(value / 2 ** 32) >>> 0, 32);
  writeBits(sink, value >>> 0, 32);
}

function writeMeaning(
  sink: BitSink,
  { high, low }: { high: number; low: number },
  { leading, trailing }: { leading: number; trailing: number },
): void {
  const highBits = Math.max(0, 32 - leading - Math.max(0, trailing - 32));
  if (highBits > 0) writeBits(sink, trailing > 32 ? high >>> (trailing - 32) : high, highBits);
  const lowBits = Math.max(0, 32 - trailing - Math.max(0, leading - 32));
  if (lowBits > 0) writeBits(sink, low >>> trailing, lowBits);
}

function writeBits(sink: BitSink, value: number, count: number): void {
  const { bytes } = sink;
  let left = count;
  while (left > 0) {
    const room = 8 - (sink.bit & 7);
    const taken = Math.min(room, left);
    const part = (value >>> (left - taken)) & (2 ** taken - 1);
    bytes[sink.bit >> 3] = (bytes[sink.bit >> 3] ?? 0) | (part << (room - taken));
    sink.bit += taken;
    left -= taken;
  }
}

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}
