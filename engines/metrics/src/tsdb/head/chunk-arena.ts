/** A run of samples of one series, encoded: times, then floats or histograms. */
export interface SealedChunk {
  isHistogram: boolean;
  minMs: number;
  maxMs: number;
  count: number;
  bytes: Uint8Array;
}

interface Slab {
  bytes: Uint8Array;
  used: number;
  live: number;
}

/** Where a chunk lies; small, since there are hundreds of thousands. */
export interface HeadChunk {
  readonly isHistogram: boolean;
  readonly minMs: number;
  readonly maxMs: number;
  readonly count: number;
  readonly slab: Slab;
  readonly at: number;
  readonly sizeBytes: number;
}

export interface ChunkArena {
  add(chunk: SealedChunk): HeadChunk;
  /** The chunk is not read any more; a slab goes when the last of its chunks does. */
  remove(chunk: HeadChunk): void;
  sizeBytes(): number;
}

const SLAB_BYTES = 512 * 1024;

/**
 * Bytes of sealed chunks, many in a slab: an array of its own for each would cost more than most chunks hold.
 */
export function createChunkArena(): ChunkArena {
  let current: Slab = { bytes: new Uint8Array(0), used: 0, live: 0 };
  let slabBytes = 0;
  return {
    add: ({ isHistogram, minMs, maxMs, count, bytes }) => {
      if (current.used + bytes.length > current.bytes.length) {
        current = { bytes: new Uint8Array(Math.max(SLAB_BYTES, bytes.length)), used: 0, live: 0 };
        slabBytes += current.bytes.length;
      }
      const at = current.used;
      current.bytes.set(bytes, at);
      current.used += bytes.length;
      current.live++;
      return { isHistogram, minMs, maxMs, count, slab: current, at, sizeBytes: bytes.length };
    },
    remove: ({ slab }) => {
      slab.live--;
      if (slab.live > 0) return;
      // Of the current slab the room is used again, the others are let go.
      if (slab === current) slab.used = 0;
      else slabBytes -= slab.bytes.length;
    },
    sizeBytes: () => slabBytes,
  };
}

/** A view of the encoded samples. */
export function chunkBytes({ slab, at, sizeBytes }: HeadChunk): Uint8Array {
  return slab.bytes.subarray(at, at + sizeBytes);
}
