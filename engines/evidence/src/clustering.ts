import { counts, ofGroup, type ArmName, type Window } from "./record.ts";
import { GROUPS } from "./sample.ts";

/** How far requests are from being independent, because failures come in users and in bursts. */
export interface Clustering {
  /** How many requests weigh as much as one independent request: at least 1. */
  designEffect: number;
  /** How well that is known, as degrees of freedom; Infinity when nothing speaks for clusters. */
  degrees: number;
}

export const INDEPENDENT: Clustering = { designEffect: 1, degrees: Infinity };

/** Groups are presumed alike: each as if it had brought this many good requests before the first one. */
const PRIOR_REQUESTS = 5;
/**
 * A group with more than this part of an arm's traffic is
 * one user's, and one user's failures are one cluster.
 */
const LARGEST_PART = 0.2;

/**
 * Clustering in the difference of the arms: the variance that the groups show
 * over the variance of independent requests (Kish 1965; Rao & Scott 1992), the
 * arms weighted as in the score of Mantel & Haenszel (Liang & Zeger 1986).
 */
export function clusteringOfArms(window: Window): Clustering {
  const weights = {
    stable: counts(window, "candidate").total ** 2,
    candidate: counts(window, "stable").total ** 2,
  };
  return assess(spread(window, "stable", weights.stable), spread(window, "candidate", weights.candidate));
}

/** Clustering in the candidate's share alone. */
export function clusteringOfCandidate(window: Window): Clustering {
  return assess(spread(window, "candidate", 1));
}

/**
 * Evidence for a bet counts as if the requests were fewer by the design effect. As that is an
 * estimate, from few clusters maybe, it gets the tails of Student's t: (ν/2)·ln(1 + 2e/ν) instead
 * of e. Evidence against a bet counts in full, so a tempered bet is never worth more than the bet.
 */
export function temper(logRatio: number, { designEffect, degrees }: Clustering): number {
  if (logRatio <= 0) return logRatio;
  const evidence = logRatio / designEffect;
  return degrees === Infinity ? evidence : (degrees / 2) * Math.log1p((2 * evidence) / degrees);
}

interface Spread {
  /** Variance if requests were independent, and as the groups show it. */
  independent: number;
  observed: number;
  /** Σ v and Σ v² over the groups, v being the variance that clusters would give each. */
  clustered: number;
  clusteredSquares: number;
}

/**
 * What a group should have had follows from its traffic. Its few first requests are not
 * taken at their word: a burst that brings its own requests must not explain itself.
 */
function spread(window: Window, arm: ArmName, weight: number): Spread {
  const { bad, total } = counts(window, arm);
  const perRequest = bad / (total + GROUPS * PRIOR_REQUESTS);
  let squares = 0;
  let clustered = 0;
  let clusteredSquares = 0;
  for (let group = 0; group < GROUPS; group += 1) {
    const seen = ofGroup(window, arm, group);
    const expected = Math.min(perRequest * (seen.total + PRIOR_REQUESTS), bad * LARGEST_PART);
    squares += (seen.bad - expected) ** 2;
    clustered += weight * expected ** 2;
    clusteredSquares += (weight * expected ** 2) ** 2;
  }
  const observed = (weight * squares * GROUPS) / (GROUPS - 1);
  return { independent: weight * bad, observed, clustered, clusteredSquares };
}

/**
 * Degrees of freedom by Satterthwaite (1946): of the observed
 * variance only what exceeds independence is a guess.
 */
function assess(...arms: Spread[]): Clustering {
  const sum = (pick: (arm: Spread) => number) => arms.reduce((total, arm) => total + pick(arm), 0);
  const designEffect = sum((arm) => arm.observed) / sum((arm) => arm.independent);
  if (!(designEffect > 1)) return INDEPENDENT;
  const clusters = sum((arm) => arm.clustered) ** 2 / sum((arm) => arm.clusteredSquares);
  const degrees = Math.max(1, clusters - 1) * (designEffect / (designEffect - 1)) ** 2;
  return { designEffect, degrees };
}
