/** Whole numbers, and the positions of what is none: there stands the integer before it. */
export interface Scaled {
  integers: Float64Array;
  /**
   * Value = integer / factorOf(scale): up to 10 it is decimal places, beyond it zero bits that all end in.
   */
  scale: number;
  specials: number[];
}

const POWERS_OF_TEN = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10];
const LAST_PLACES = POWERS_OF_TEN.length - 1;
const MOST_ZERO_BITS = 32;
/**
 * Differences of differences of such integers, with their sign folded in, stay below 2^53 and so are exact.
 */
const LARGEST = 2 ** 50;
/** More oddities than one in eight and the byte planes are shorter. */
const VALUES_PER_SPECIAL = 8;

/** Null: there is no such scale. */
export function factorOf(scale: number): number | null {
  if (scale <= LAST_PLACES) return POWERS_OF_TEN[scale] ?? null;
  return scale <= LAST_PLACES + MOST_ZERO_BITS ? 2 ** (LAST_PLACES - scale) : null;
}

/** Null where values are no decimal numbers of at most ten places. */
export function scaleToIntegers(values: Float64Array): Scaled | null {
  let places = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? 0;
    if (isSpecial(value)) continue;
    while (!isWhole(value, places)) if (++places >= POWERS_OF_TEN.length) return null;
  }
  return scaleBy(values, places);
}

/**
 * A number of the size that fits, with its sign: a counter's NaN is one that cannot be told as an integer.
 */
function isSpecial(value: number): boolean {
  return !Number.isFinite(value) || Object.is(value, -0);
}

function isWhole(value: number, places: number): boolean {
  const factor = POWERS_OF_TEN[places] ?? 1;
  const integer = Math.round(value * factor);
  return integer / factor === value && Math.abs(integer) <= LARGEST;
}

/** Checks every value again: one with fewer places may not come back at more of them. */
function scaleBy(values: Float64Array, places: number): Scaled | null {
  const factor = POWERS_OF_TEN[places] ?? 1;
  const integers = new Float64Array(values.length);
  const specials: number[] = [];
  let integer = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? 0;
    if (isSpecial(value)) specials.push(index);
    else {
      // The sum takes the sign off a zero that was rounded from below.
      integer = Math.round(value * factor) + 0;
      if (integer / factor !== value || Math.abs(integer) > LARGEST) return null;
    }
    integers[index] = integer;
  }
  if (specials.length * VALUES_PER_SPECIAL > values.length) return null;
  const zeroBits = places === 0 ? takeZeroBits(integers) : 0;
  return { integers, scale: zeroBits === 0 ? places : LAST_PLACES + zeroBits, specials };
}

/** Takes off the zero bits that all integers end in, and says how many: memory comes in pages of 4 KiB. */
function takeZeroBits(integers: Float64Array): number {
  let low = 0;
  for (let index = 0; index < integers.length; index++) {
    low |= integers[index] ?? 0;
    if ((low & 1) === 1) return 0;
  }
  const bits = low === 0 ? MOST_ZERO_BITS : 31 - Math.clz32(low & -low);
  const unit = 2 ** bits;
  for (let index = 0; index < integers.length; index++) integers[index] = (integers[index] ?? 0) / unit;
  return bits;
}
