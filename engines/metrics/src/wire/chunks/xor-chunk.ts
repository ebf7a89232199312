import type { FloatColumn } from "../../storage.ts";
import { BitWriter, fitsBits } from "./bit-writer.ts";
import { startXor, writeXor, type XorState } from "./xor-values.ts";

/** How many samples a chunk of Prometheus holds. */
export const SAMPLES_PER_CHUNK = 120;

/** Two bytes hold the number of samples. */
const CHUNK_SAMPLES_MAX = 65_535;

/**
 * Floats as a chunk of Prometheus' time-series database: times as differences of differences,
 * values by the bits that changed. (Prometheus, "Chunks Disk Format", XOR chunk data; after
 * Pelkonen et al., "Gorilla: A Fast, Scalable, In-Memory Time Series Database", 2015.)
 */
export function encodeXorChunk({ timestampsMs, values }: FloatColumn): Uint8Array<ArrayBuffer> {
  const count = timestampsMs.length;
  if (count === 0 || count > CHUNK_SAMPLES_MAX) throw new RangeError(`a chunk of ${count} samples`);
  const words = new Uint32Array(values.buffer, values.byteOffset, count * 2);
  const writer = new BitWriter();
  writer.bits(count, 16);
  let lastMs = timestampsMs[0] ?? 0;
  let lastDeltaMs = 0;
  const [low = 0, high = 0] = words;
  writer.zigzag(lastMs);
  writer.bits(high, 32);
  writer.bits(low, 32);
  const state: XorState = startXor(high, low);
  for (let index = 1; index < count; index++) {
    const timeMs = timestampsMs[index] ?? 0;
    const deltaMs = timeMs - lastMs;
    if (index === 1) writer.varint(deltaMs);
    else writeTime(writer, deltaMs - lastDeltaMs);
    writeXor(writer, state, { low: words[index * 2] ?? 0, high: words[index * 2 + 1] ?? 0 });
    lastMs = timeMs;
    lastDeltaMs = deltaMs;
  }
  return writer.take();
}

/** A prefix says how many bits follow. */
function writeTime(writer: BitWriter, change: number): void {
  if (change === 0) writer.bits(0, 1);
  else if (fitsBits(change, 14)) writer.prefixed("10", change, 14);
  else if (fitsBits(change, 17)) writer.prefixed("110", change, 17);
  else if (fitsBits(change, 20)) writer.prefixed("1110", change, 20);
  else writer.prefixed("1111", change, 64);
}
