/** Numbers in [0, 1). */
export type Random = () => number;

/** Numbers that depend on the seed alone: Mulberry32 (Tommy Ettinger, public domain). Not for secrets. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** An integer from 0 to below `limit`. */
export function drawInteger(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}
