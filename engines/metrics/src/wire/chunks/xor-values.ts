import type { BitWriter } from "./bit-writer.ts";

/** The window of significant bits that the value before was written with; null: none was. */
export interface XorState {
  window: { leading: number; trailing: number } | null;
  high: number;
  low: number;
}

/** The field for leading zeroes has five bits. */
const LEADING_MAX = 31;

/** The state after a value that was written whole, by its two words. */
export function startXor(high: number, low: number): XorState {
  return { window: null, high, low };
}

/**
 * Writes what differs from the value before: 0 for nothing; 10 and the bits
 * of the window it had, if they fit in there; else 11, a window and its bits.
 */
export function writeXor(writer: BitWriter, state: XorState, { high, low }: Words): void {
  const differs = { high: high ^ state.high, low: low ^ state.low };
  state.high = high;
  state.low = low;
  if (differs.high === 0 && differs.low === 0) return writer.bits(0, 1);
  const leading = Math.min(leadingZeroes(differs), LEADING_MAX);
  const trailing = trailingZeroes(differs);
  const { window } = state;
  if (window !== null && leading >= window.leading && trailing >= window.trailing) {
    writer.bits(0b10, 2);
    return writeWindow(writer, differs, window);
  }
  state.window = { leading, trailing };
  writer.bits(0b11, 2);
  writer.bits(leading, 5);
  // All 64 do not fit into six bits; 0 stands for them.
  writer.bits(64 - leading - trailing, 6);
  writeWindow(writer, differs, state.window);
}

interface Words {
  high: number;
  low: number;
}

function leadingZeroes({ high, low }: Words): number {
  return high === 0 ? 32 + Math.clz32(low) : Math.clz32(high);
}

function trailingZeroes({ high, low }: Words): number {
  return low === 0 ? 32 + lowestBit(high) : lowestBit(low);
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}

function writeWindow(writer: BitWriter, { high, low }: Words, { leading, trailing }: Window): void {
  const count = 64 - leading - trailing;
  const shifted = shiftRight({ high, low }, trailing);
  if (count > 32) writer.bits(shifted.high, count - 32);
  writer.bits(shifted.low, Math.min(count, 32));
}

type Window = NonNullable<XorState["window"]>;

function shiftRight({ high, low }: Words, by: number): Words {
  if (by === 0) return { high, low };
  if (by >= 32) return { high: 0, low: high >>> (by - 32) };
  return { high: high >>> by, low: (low >>> by) | (high << (32 - by)) };
}
