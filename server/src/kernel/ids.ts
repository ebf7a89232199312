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
const TWO_TO_32 = 2 ** 32;
const TWO_TO_30 = 2 ** 30;

/**
 * Ids that sort by the time of their making. RFC 9562 §5.7 (UUIDv7) with §6.2 method 2: within one
 * millisecond, or while the clock stands behind the last id, the random bits are a counter that rises by a
 * random step.
 */
export function createIds({ clock, random }: { clock: Clock; random: Random }): Ids {
  let lastMs = -1;
  // The 74 bits behind the time: 12, then 62 as 30 and 32. Numbers of this size cost less than a bigint.
  let randA = 0;
  let high = 0;
  let low = 0;
  let drawn: Uint8Array = new Uint8Array();

  function bytes(sizeBytes: number): Uint8Array {
    if (drawn.length < sizeBytes) drawn = random(Math.max(DRAWN_BYTES, sizeBytes));
    const taken = drawn.subarray(0, sizeBytes);
    drawn = drawn.subarray(sizeBytes);
    return taken;
  }

  /** One of the random bits is left to the counter: it does not run over within 10¹² ids of a millisecond. */
  function seed(): void {
    const taken = bytes(10);
    randA = (((taken[0] ?? 0) & 0x07) << 8) | (taken[1] ?? 0);
    high = wordAt(taken, 2) % TWO_TO_30;
    low = wordAt(taken, 6);
  }

  function count(): void {
    low += 1 + wordAt(bytes(4), 0);
    if (low < TWO_TO_32) return;
    low -= TWO_TO_32;
    high += 1;
    if (high < TWO_TO_30) return;
    high = 0;
    randA += 1;
  }

  function step(): void {
    const nowMs = clock.now().getTime();
    if (nowMs > lastMs) seed();
    else count();
    lastMs = Math.max(lastMs, nowMs);
  }

  return {
    bytes,
    next(prefix) {
      step();
      const variantAndHigh = 2 * TWO_TO_30 + high;
      return `${prefix}_${hex(lastMs, 12)}7${hex(randA, 3)}${hex(variantAndHigh, 8)}${hex(low, 8)}`;
    },
  };
}

/** Big-endian. */
function wordAt(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(at, at + 4);
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

function hex(number: number, digits: number): string {
  return number.toString(16).padStart(digits, "0");
}
