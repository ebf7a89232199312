import { clusteringOfCandidate, temper } from "./clustering.ts";
import { divergence } from "./divergence.ts";
import { addSample, counts, emptyMark, type Counts, type Window } from "./record.ts";
import { checkSample, type Sample } from "./sample.ts";

export interface LimitQuestion {
  /** The share of bad requests that the candidate may not exceed. */
  share: number;
  /** Seconds of one metric, oldest first. */
  samples: readonly Sample[];
  /** Requests of the candidate that are needed before the limit acts. Default 200. */
  minimum?: number;
}

export interface LimitFinding {
  isViolated: boolean;
  /** Start of the window that was looked at; null when it holds too few requests of the candidate. */
  fromMs: number | null;
  candidate: Counts;
  stable: Counts;
}

/** A share above the limit is chance when samples at the limit would show it this often. */
const CHANCE = 0.001;

/**
 * Whether the candidate breaks an absolute ceiling that the stable release keeps. Looks
 * at the shortest recent window with enough requests of the candidate, then at windows
 * twice, four times … as large, and ends at the first in which the candidate's share is
 * above the limit by more than chance (Chernoff's bound, tempered by the design effect)
 * while the stable release's is not above it: what hits both is no fault of the release.
 */
export function judgeLimit({ share, samples, minimum = 200 }: LimitQuestion): LimitFinding {
  if (!(share > 0 && share < 1)) throw new Error(`share must lie between 0 and 1, got ${share}`);
  if (!(minimum >= 1)) throw new Error(`minimum must be ≥ 1, got ${minimum}`);
  const window = { from: emptyMark(), to: emptyMark() };
  let shortest: LimitFinding | null = null;
  let wanted = minimum;
  for (const sample of samples.toReversed()) {
    checkSample(sample);
    addSample(window.to, sample);
    if (counts(window, "candidate").total < wanted) continue;
    wanted *= 2;
    const finding = find(window, share, sample.atMs);
    if (finding.isViolated) return finding;
    shortest ??= finding;
  }
  return shortest ?? { ...sides(window), isViolated: false, fromMs: null };
}

function find(window: Window, share: number, fromMs: number): LimitFinding {
  const { candidate, stable } = sides(window);
  const logUnlikely = temper(
    candidate.total * divergence(candidate.bad / candidate.total, share),
    clusteringOfCandidate(window),
  );
  const isAbove = candidate.bad > share * candidate.total && logUnlikely >= -Math.log(CHANCE);
  return { isViolated: isAbove && stable.bad <= share * stable.total, fromMs, candidate, stable };
}

function sides(window: Window): { candidate: Counts; stable: Counts } {
  return { candidate: counts(window, "candidate"), stable: counts(window, "stable") };
}
