/** ln Σ e^v without overflow; −Infinity for an empty list. */
export function logSumExp(values: readonly number[]): number {
  const highest = Math.max(...values);
  if (!Number.isFinite(highest)) return highest;
  return highest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - highest), 0));
}

/** ln of the mean of e^v. */
export function logMeanExp(values: readonly number[]): number {
  return logSumExp(values) - Math.log(values.length);
}

/** What JSON can carry of a number that is kept as its logarithm. */
export function expCapped(log: number): number {
  return Math.min(Math.exp(log), 1e300);
}

const EXACT_UP_TO = 256;
const LOG_FACTORIALS = Float64Array.from({ length: EXACT_UP_TO }, () => 0);
for (let n = 2; n < EXACT_UP_TO; n += 1) LOG_FACTORIALS[n] = (LOG_FACTORIALS[n - 1] ?? 0) + Math.log(n);

/** ln n! from a table, and by Stirling's series above it (error below 1e-15 of the value). */
export function logFactorial(n: number): number {
  const exact = LOG_FACTORIALS[n];
  if (exact !== undefined) return exact;
  const inverse = 1 / n;
  const series = inverse / 12 - inverse ** 3 / 360 + inverse ** 5 / 1260;
  return (n + 0.5) * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI) + series;
}
