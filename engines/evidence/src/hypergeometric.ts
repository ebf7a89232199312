/** A 2×2 table seen through its margins: of `total` requests `candidate` went to the candidate, `bad` were bad. */
export interface Margins {
  total: number;
  candidate: number;
  bad: number;
}

const NEGLIGIBLE = 1e-18;
const RESCALE_ABOVE = 1e200;
const LOG_RESCALE = Math.log(RESCALE_ABOVE);

/** Only a table in which each margin has both sides can speak for or against the candidate. */
export function isInformative({ total, candidate, bad }: Margins): boolean {
  return candidate > 0 && candidate < total && bad > 0 && bad < total;
}

/**
 * ln E[ψ^X] for each odds ratio ψ, where X is the number of bad requests of the candidate when both arms are alike and
 * the margins are given (central hypergeometric). It normalises Fisher's noncentral hypergeometric distribution, so
 * ψ^x / E[ψ^X] is the likelihood ratio of "odds ratio ψ" to "odds ratio 1" (Fisher 1935; McCullagh & Nelder 1989, §7.3).
 */
export function logMeanPowers(margins: Margins, odds: readonly number[]): number[] {
  const mode = centralMode(margins);
  const logSumAlike = logSumAround(margins, mode, 1);
  return odds.map((ratio) => mode * Math.log(ratio) + logSumAround(margins, mode, ratio) - logSumAlike);
}

function centralMode({ total, candidate, bad }: Margins): number {
  const mode = Math.floor(((candidate + 1) * (bad + 1)) / (total + 2));
  return Math.min(Math.max(mode, bad - (total - candidate), 0), candidate, bad);
}

/** ln Σ w(k)·ψ^(k−start) over the support, with w(start) = 1: up, then down, until the terms no longer count. */
function logSumAround({ total, candidate, bad }: Margins, start: number, odds: number): number {
  const rest = total - candidate - bad;
  const highest = Math.min(candidate, bad);
  const lowest = Math.max(0, -rest);
  let sum = 1;
  let term = 1;
  let logScale = 0;
  const add = (factor: number) => {
    term *= factor;
    sum += term;
    if (sum < RESCALE_ABOVE) return;
    sum /= RESCALE_ABOVE;
    term /= RESCALE_ABOVE;
    logScale += LOG_RESCALE;
  };
  for (let k = start; k < highest && term > NEGLIGIBLE * sum; k += 1) {
    add((odds * (bad - k) * (candidate - k)) / ((k + 1) * (rest + k + 1)));
  }
  term = Math.exp(-logScale);
  for (let k = start; k > lowest && term > NEGLIGIBLE * sum; k -= 1) {
    add((k * (rest + k)) / (odds * (bad - k + 1) * (candidate - k + 1)));
  }
  return Math.log(sum) + logScale;
}
