/** A bucket of a classic histogram: how many observations are at most `upper`. */
export interface ClassicBucket {
  upper: number;
  count: number;
}

/** Buckets whose counts fell where they must not, and were raised. */
export interface ForcedBuckets {
  minBucket: number;
  maxBucket: number;
  maxDiff: number;
}

/** Relative differences up to here come from rounding, and are evened out in silence. */
const TOLERANCE = 1e-12;

/** The q-quantile, linear within a bucket. The list is sorted and repaired in place. */
export function classicQuantile(
  q: number,
  input: ClassicBucket[],
): { value: number; forced: ForcedBuckets | null } {
  const answer = (value: number, forced: ForcedBuckets | null = null) => ({ value, forced });
  if (Number.isNaN(q)) return answer(NaN);
  if (q < 0) return answer(-Infinity);
  if (q > 1) return answer(Infinity);
  const buckets = prepare(input);
  const last = buckets.at(-1);
  if (last?.upper !== Infinity) return answer(NaN);
  const forced = makeMonotonic(buckets);
  if (buckets.length < 2 || last.count === 0) return answer(NaN, forced);
  const rank = q * last.count;
  const found = buckets.findIndex((bucket) => bucket.count >= rank);
  const index = found < 0 ? buckets.length - 1 : found;
  const bucket = buckets[index];
  const before = buckets[index - 1];
  if (bucket === undefined || index === buckets.length - 1)
    return answer(buckets.at(-2)?.upper ?? NaN, forced);
  if (before === undefined && bucket.upper <= 0) return answer(bucket.upper, forced);
  const start = before?.upper ?? 0;
  const below = before?.count ?? 0;
  return answer(start + (bucket.upper - start) * ((rank - below) / (bucket.count - below)), forced);
}

/** The share of observations between two values. */
export function classicFraction(range: { lower: number; upper: number }, input: ClassicBucket[]): number {
  const { lower, upper } = range;
  const buckets = prepare(input);
  const last = buckets.at(-1);
  if (last?.upper !== Infinity) return NaN;
  if (last.count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return NaN;
  if (lower >= upper) return 0;
  const below = (value: number) => Math.min(rankOf(value, buckets) ?? last.count, last.count);
  return (below(upper) - below(lower)) / last.count;
}

function rankOf(value: number, buckets: readonly ClassicBucket[]): number | null {
  let rank = 0;
  let start = (buckets[0]?.upper ?? 0) <= 0 ? -Infinity : 0;
  for (const { upper, count } of buckets) {
    if (start >= value) return rank;
    if (upper > value) {
      if (start === -Infinity) return count;
      return rank + ((count - rank) * (value - start)) / (upper - start);
    }
    rank = count;
    start = upper;
  }
  return null;
}

/** Sorted by bound, those of the same bound added up. */
function prepare(input: ClassicBucket[]): ClassicBucket[] {
  input.sort((a, b) => a.upper - b.upper || 0);
  const buckets: ClassicBucket[] = [];
  for (const bucket of input) {
    const before = buckets.at(-1);
    if (before?.upper === bucket.upper) before.count += bucket.count;
    else buckets.push(bucket);
  }
  return buckets;
}

function makeMonotonic(buckets: ClassicBucket[]): ForcedBuckets | null {
  const forced: ForcedBuckets = { minBucket: Infinity, maxBucket: -Infinity, maxDiff: 0 };
  let previous = buckets[0]?.count ?? 0;
  for (const bucket of buckets.slice(1)) {
    const { upper, count } = bucket;
    if (count === previous) continue;
    if (isAlmost(previous, count)) {
      bucket.count = previous;
    } else if (count < previous) {
      bucket.count = previous;
      forced.minBucket = Math.min(forced.minBucket, upper);
      forced.maxBucket = Math.max(forced.maxBucket, upper);
      forced.maxDiff = Math.max(forced.maxDiff, previous - count);
    } else previous = count;
  }
  return forced.minBucket === Infinity && forced.maxBucket === -Infinity ? null : forced;
}

function isAlmost(a: number, b: number): boolean {
  return Math.abs(a - b) / Math.min(Math.abs(a) + Math.abs(b), Number.MAX_VALUE) < TOLERANCE;
}
