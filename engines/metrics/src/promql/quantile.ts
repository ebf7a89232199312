import { selectRank } from "./select-rank.ts";

/**
 * The q-quantile by linear interpolation between the closest ranks,
 * NaN being the smallest; the values are put into another order.
 */
export function quantileOf(q: number, values: Float64Array): number {
  if (values.length === 0 || Number.isNaN(q)) return NaN;
  if (q < 0) return -Infinity;
  if (q > 1) return Infinity;
  const rank = q * (values.length - 1);
  const lower = Math.max(0, Math.floor(rank));
  const upper = Math.min(values.length - 1, lower + 1);
  const weight = rank - Math.floor(rank);
  const nans = arrange(values, lower);
  const at = (index: number) => (index < nans ? NaN : (values[index - nans] ?? NaN));
  return at(lower) * (1 - weight) + at(upper) * weight;
}

/** Sorts NaN to the end, and the others as far as a rank and the next one need it; how many NaN there are. */
function arrange(values: Float64Array, rank: number): number {
  let count = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? NaN;
    if (value !== value) continue;
    values[index] = values[count] ?? NaN;
    values[count++] = value;
  }
  const nans = values.length - count;
  if (rank >= nans) selectRank(values.subarray(0, count), rank - nans);
  return nans;
}
