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

/**
 * Evidence in favour of a bet counts as if the requests were fewer by the design effect; evidence against it in full.
 * So a tempered bet is never worth more than the bet itself.
 */
export function temper(logRatio: number, designEffect: number): number {
  return logRatio > 0 ? logRatio / designEffect : logRatio;
}
