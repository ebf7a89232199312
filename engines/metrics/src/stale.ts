/**
 * The bit pattern 0x7ff0000000000002 ends a series. It is a NaN, and JavaScript may change the bits
 * of a NaN that leaves a typed array: it is told apart and written by its bits, never as a number.
 */
const STALE_HIGH = 0x7ff0_0000;
const STALE_LOW = 0x0000_0002;

/** Whether this element is a staleness marker. */
export function isStaleAt(values: Float64Array, index: number): boolean {
  const value = values[index];
  if (value === undefined || value === value) return false;
  const words = new Uint32Array(values.buffer, values.byteOffset + index * 8, 2);
  return words[0] === STALE_LOW && words[1] === STALE_HIGH;
}

/**
 * Whether two elements are the same sample: NaN is NaN, whatever its bits, for texts tell
 * nothing of them; a staleness marker is one alone.
 */
export function isSameSample(
  a: { values: Float64Array; at: number },
  b: { values: Float64Array; at: number },
): boolean {
  const [one, other] = [a.values[a.at], b.values[b.at]];
  if (one === other) return Object.is(one, other);
  if (one === one || other === other) return false;
  return isStaleAt(a.values, a.at) === isStaleAt(b.values, b.at);
}

/** Writes a staleness marker. */
export function setStaleAt(values: Float64Array, index: number): void {
  const words = new Uint32Array(values.buffer, values.byteOffset + index * 8, 2);
  words[0] = STALE_LOW;
  words[1] = STALE_HIGH;
}
