import type { Clock } from "./clock.ts";

/** Random bytes of the given length; `randomBytes` of node:crypto in production. */
export type Random = (sizeBytes: number) => Uint8Array;

export interface Ids {
  /** `next("chg")` → "chg_" and a UUIDv7 in 32 lower-case hexadecimal digits, greater than all before. */
  next<Prefix extends string>(prefix: Prefix): `${Prefix}_${string}`;
  /** Random bytes, such as a salt, of what was drawn for many ids at once. */
  bytes: Random;
}

/** Drawing random bytes costs the same for few as for many. */
const DRAWN_BYTES = 1_024;
const RAND_B_BITS = 62n;
const RAND_B_MASK = (1n << RAND_B_BITS) - 1n;
/**
 * One of the 74 random bits is left to the counter: it does not run over within 10¹² ids of a millisecond.
 */
const SEED_MASK = (1n << 73n) - 1n;

/**
 * Ids that sort by the time of their making. RFC 9562 §5.7 (UUIDv7) with §6.2 method 2: within one
 * millisecond, or while the clock stands behind the last id, the random bits are a counter that rises by a
 * random step.
 */
export function createIds({ clock, random }: { clock: Clock; random: Random }): Ids {
  let lastMs = -1;
  let tail = 0n;
  let drawn: Uint8Array = new Uint8Array();

  function bytes(sizeBytes: number): Uint8Array {
    if (drawn.length < sizeBytes) drawn = random(Math.max(DRAWN_BYTES, sizeBytes));
    const taken = drawn.subarray(0, sizeBytes);
    drawn = drawn.subarray(sizeBytes);
    return taken;
  }

  function drawBits(sizeBytes: number): bigint {
    return BigInt(`0x${Buffer.from(bytes(sizeBytes)).toString("hex")}`);
  }

  function step(): void {
    const nowMs = clock.now().getTime();
    tail = nowMs > lastMs ? drawBits(10) & SEED_MASK : tail + 1n + drawBits(4);
    lastMs = Math.max(lastMs, nowMs);
  }

  return {
    bytes,
    next(prefix) {
      step();
      const time = lastMs.toString(16).padStart(12, "0");
      const randA = (tail >> RAND_B_BITS).toString(16).padStart(3, "0");
      const variantAndRandB = ((0b10n << RAND_B_BITS) | (tail & RAND_B_MASK)).toString(16);
      return `${prefix}_${time}7${randA}${variantAndRandB}`;
    },
  };
}
