/** Sizes and indices reach 2⁵³ − 1, where bit operations of the language end at 2³². */
export function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

export function isOdd(value: number): boolean {
  return value % 2 === 1;
}

export function half(value: number): number {
  return Math.floor(value / 2);
}

/** The largest power of two smaller than `value`, which is at least 2. */
export function powerBelow(value: number): number {
  let power = 1;
  while (power * 2 < value) power *= 2;
  return power;
}

/** The smallest power of two that is not smaller than `value`. */
export function powerFrom(value: number): number {
  let power = 1;
  while (power < value) power *= 2;
  return power;
}

export function isPower(value: number): boolean {
  return powerFrom(value) === value;
}
