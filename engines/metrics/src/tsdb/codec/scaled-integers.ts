/** Whole numbers v·10^places, and the positions of what is none: there stands the integer before it. */
export interface Scaled {
  integers: Float64Array;
  places: number;
  specials: number[];
}

export const POWERS_OF_TEN = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10];
/**
 * Differences of differences of such integers, with their sign folded in, stay below 2^53 and so are exact.
 */
const LARGEST = 2 ** 50;
/** More oddities than one in eight and the byte planes are shorter. */
const VALUES_PER_SPECIAL = 8;

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
  return specials.length * VALUES_PER_SPECIAL > values.length ? null : { integers, places, specials };
}
