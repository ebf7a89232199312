import { wordsOf } from "../codec/value-column.ts";

/** Samples of a series before they are encoded together. */
export const OPEN_SAMPLES = 64;
const SLOTS_PER_SLAB = 256;

/** Columns of the newest samples of all series: slot after slot, each of OPEN_SAMPLES. */
export interface OpenSamples {
  /** A slot whose content is anything. */
  take(): number;
  giveBack(slot: number): void;
  /** Copies the value with all its bits. */
  put(
    place: { slot: number; index: number; timeMs: number },
    value: { words: Uint32Array; at: number },
  ): void;
  /** Views of the first samples of a slot. */
  view(slot: number, count: number): { timestampsMs: Float64Array; values: Float64Array };
  /** Where the samples of a slot lie: views cost more than they hold when many series are read. */
  locate(slot: number): { slab: OpenSlab; start: number };
  sizeBytes(): number;
}

/** Columns of many slots; the words are those of the values. */
export interface OpenSlab {
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly words: Uint32Array;
}

export function createOpenSamples(): OpenSamples {
  const slabs: OpenSlab[] = [];
  const free: number[] = [];
  let slots = 0;
  const slabOf = (slot: number): OpenSlab => {
    const slab = slabs[Math.floor(slot / SLOTS_PER_SLAB)];
    if (slab === undefined) throw new RangeError(`there is no slot ${slot}`);
    return slab;
  };
  return {
    take: () => {
      const used = free.pop();
      if (used !== undefined) return used;
      if (slots === slabs.length * SLOTS_PER_SLAB) slabs.push(createSlab());
      return slots++;
    },
    giveBack: (slot) => {
      free.push(slot);
    },
    put: ({ slot, index, timeMs }, value) => {
      const slab = slabOf(slot);
      const at = (slot % SLOTS_PER_SLAB) * OPEN_SAMPLES + index;
      slab.times[at] = timeMs;
      slab.words[2 * at] = value.words[2 * value.at] ?? 0;
      slab.words[2 * at + 1] = value.words[2 * value.at + 1] ?? 0;
    },
    view: (slot, count) => {
      const { times, values } = slabOf(slot);
      const start = (slot % SLOTS_PER_SLAB) * OPEN_SAMPLES;
      return {
        timestampsMs: times.subarray(start, start + count),
        values: values.subarray(start, start + count),
      };
    },
    locate: (slot) => ({ slab: slabOf(slot), start: (slot % SLOTS_PER_SLAB) * OPEN_SAMPLES }),
    sizeBytes: () => slabs.length * SLOTS_PER_SLAB * OPEN_SAMPLES * 16,
  };
}

function createSlab(): OpenSlab {
  const values = new Float64Array(SLOTS_PER_SLAB * OPEN_SAMPLES);
  return { times: new Float64Array(SLOTS_PER_SLAB * OPEN_SAMPLES), values, words: wordsOf(values) };
}
