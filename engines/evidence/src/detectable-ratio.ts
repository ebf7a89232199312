import { divergence } from "./divergence.ts";

/** Traffic that the judge has seen, and how hard it is to convince. */
export interface Sensitivity {
  candidateTotal: number;
  stableTotal: number;
  stableBad: number;
  designEffect: number;
  /** ln of the threshold divided by the prior of the bet. */
  logThreshold: number;
}

const LARGEST_RATIO = 100;
/** Halvings of the logarithm: the ratio is then known to 0.01 %. */
const STEPS = 16;

/**
 * The smallest odds ratio that traffic like this is expected to prove, null
 * when even 100 would stay unnoticed: there the expected likelihood ratio, two
 * Kullback–Leibler divergences to the pooled share, reaches the threshold.
 */
export function smallestDetectableRatio(sensitivity: Sensitivity): number | null {
  if (!isEnough(sensitivity, LARGEST_RATIO)) return null;
  let low = 0;
  let high = Math.log(LARGEST_RATIO);
  for (let step = 0; step < STEPS; step += 1) {
    const middle = (low + high) / 2;
    if (isEnough(sensitivity, Math.exp(middle))) high = middle;
    else low = middle;
  }
  return Math.exp(high);
}

function isEnough(sensitivity: Sensitivity, odds: number): boolean {
  const { candidateTotal, stableTotal, stableBad, designEffect, logThreshold } = sensitivity;
  const stable = (stableBad + 0.5) / (stableTotal + 1);
  const candidate = (odds * stable) / (1 - stable + odds * stable);
  const pooled = (candidateTotal * candidate + stableTotal * stable) / (candidateTotal + stableTotal);
  const expected = candidateTotal * divergence(candidate, pooled) + stableTotal * divergence(stable, pooled);
  return expected / designEffect >= logThreshold;
}
