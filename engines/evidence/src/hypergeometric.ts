import { logFactorial } from "./logarithms.ts";

/**
 * A 2×2 table seen through its margins: of `total` requests
 * `candidate` went to the candidate, `bad` were bad.
 */
export interface Margins {
  total: number;
  candidate: number;
  bad: number;
}

const NEGLIGIBLE = 1e-18;

/** Only a table in which each margin has both sides can speak for or against the candidate. */
export function isInformative({ total, candidate, bad }: Margins): boolean {
  return candidate > 0 && candidate < total && bad > 0 && bad < total;
}

/**
 * ln E[ψ^X] for each odds ratio ψ, where X is the number of bad requests of the candidate
 * when both arms are alike and the margins are given (central hypergeometric). It normalises
 * Fisher's noncentral hypergeometric distribution, so ψ^x / E[ψ^X] is the likelihood ratio
 * of "odds ratio ψ" to "odds ratio 1" (Fisher 1935; McCullagh & Nelder 1989, §7.3).
 */
export function logMeanPowers(margins: Margins, odds: readonly number[]): number[] {
  const logSumAlike = logSum(margins, 1);
  return odds.map((ratio) => logSum(margins, ratio) - logSumAlike);
}

/**
 * ln Σ ψ^k / (k! (candidate−k)! (bad−k)! (rest+k)!) over
 * the support, from the mode outwards: no term overflows.
 */
function logSum(margins: Margins, odds: number): number {
  const { total, candidate, bad } = margins;
  const rest = total - candidate - bad;
  const highest = Math.min(candidate, bad);
  const lowest = Math.max(0, -rest);
  const mode = Math.min(Math.max(noncentralMode(margins, odds), lowest), highest);
  let sum = 1;
  for (let k = mode, term = 1; k < highest && term > NEGLIGIBLE; k += 1) {
    term *= (odds * (bad - k) * (candidate - k)) / ((k + 1) * (rest + k + 1));
    sum += term;
  }
  for (let k = mode, term = 1; k > lowest && term > NEGLIGIBLE; k -= 1) {
    term *= (k * (rest + k)) / (odds * (bad - k + 1) * (candidate - k + 1));
    sum += term;
  }
  const logFactorials =
    logFactorial(mode) +
    logFactorial(candidate - mode) +
    logFactorial(bad - mode) +
    logFactorial(rest + mode);
  return mode * Math.log(odds) - logFactorials + Math.log(sum);
}

/** Where neighbouring terms are equal: the smaller root of (ψ−1)k² − (ψ(c+b+2) + rest)k + ψ(c+1)(b+1) = 0. */
function noncentralMode({ total, candidate, bad }: Margins, odds: number): number {
  const linear = odds * (candidate + bad + 2) + (total - candidate - bad);
  const constant = odds * (candidate + 1) * (bad + 1);
  const root = Math.sqrt(Math.max(0, linear * linear - 4 * (odds - 1) * constant));
  return Math.floor((2 * constant) / (linear + root));
}
