import type { Labels } from "../../labels.ts";

const FIRST_SURROGATE = 0xd800;
const BEHIND_SURROGATES = 0xe000;

/**
 * The order of the UTF-8 of two texts. That of their UTF-16 differs in one thing:
 * surrogates, which stand for the highest characters, come before U+E000.
 */
export function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const [unitA, unitB] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (unitA !== unitB) return rankOf(unitA) - rankOf(unitB);
  }
  return a.length - b.length;
}

function rankOf(unit: number): number {
  if (unit < FIRST_SURROGATE) return unit;
  return unit < BEHIND_SURROGATES ? unit + 0x2000 : unit - 0x800;
}

/** The order in which Prometheus has series in streams and blocks. */
export function compareSeries(a: Labels, b: Labels): number {
  const length = Math.min(a.names.length, b.names.length);
  for (let index = 0; index < length; index++) {
    const byName = compareBytes(a.names[index] ?? "", b.names[index] ?? "");
    if (byName !== 0) return byName;
    const byValue = compareBytes(a.values[index] ?? "", b.values[index] ?? "");
    if (byValue !== 0) return byValue;
  }
  return a.names.length - b.names.length;
}
