/** Down to here, and where it was split so often without success, values are sorted. */
const SORTED_MAX = 4096;
const SPLITS_MAX = 64;

/**
 * Puts the values of a rank and of the next one where sorting would, without sorting
 * millions for two of them. None of the values is NaN. (Hoare, Algorithm 65: Find, 1961.)
 */
export function selectRank(values: Float64Array, rank: number): void {
  let [from, to] = [0, values.length - 1];
  for (let splits = 0; to - from >= SORTED_MAX && splits < SPLITS_MAX; splits++) {
    const [left, right] = split(values, from, to);
    if (rank <= right) to = right;
    else if (rank >= left) from = left;
    // What lies between the parts is where it belongs.
    else [from, to] = [rank, rank];
  }
  values.subarray(from, to + 1).sort();
  // Behind the last rank there is none, and nothing is put there.
  swap(values, rank + 1, leastFrom(values, rank + 1));
}

/**
 * Splits around one that lies near the middle: what is
 * not larger to `right`, what is not smaller from `left`.
 */
function split(values: Float64Array, from: number, to: number): [left: number, right: number] {
  const pivot = pivotOf(values, from, to);
  let [left, right] = [from, to];
  while (left <= right) {
    while ((values[left] ?? NaN) < pivot) left++;
    while ((values[right] ?? NaN) > pivot) right--;
    if (left > right) break;
    swap(values, left++, right--);
  }
  return [left, right];
}

/**
 * The middle one of the middle ones of thrice three, as values may rise and fall. (Tukey, The Ninther, 1978.)
 */
function pivotOf(values: Float64Array, from: number, to: number): number {
  const at = (eighth: number) => values[from + Math.floor(((to - from) * eighth) / 8)] ?? NaN;
  return middleOf(
    middleOf(at(0), at(1), at(2)),
    middleOf(at(3), at(4), at(5)),
    middleOf(at(6), at(7), at(8)),
  );
}

function middleOf(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

function leastFrom(values: Float64Array, from: number): number {
  let least = from;
  for (let index = from + 1; index < values.length; index++) {
    if ((values[index] ?? NaN) < (values[least] ?? NaN)) least = index;
  }
  return least;
}

function swap(values: Float64Array, a: number, b: number): void {
  const value = values[a] ?? NaN;
  values[a] = values[b] ?? NaN;
  values[b] = value;
}
