import type { Margins } from "./hypergeometric.ts";
import { GROUPS } from "./sample.ts";
import type { ArmTally, Sample } from "./sample.ts";

/** Everything counted up to a moment; what lies between two marks is a window. */
export interface Mark {
  atMs: number;
  sums: Float64Array;
}

export interface Window {
  from: Mark;
  to: Mark;
}

/** Neighbouring seconds in which both arms met the same circumstances, as one 2×2 table. */
export interface Stratum extends Window {
  margins: Margins;
  candidateBad: number;
}

export interface Counts {
  total: number;
  bad: number;
}

export type ArmName = "stable" | "candidate";

/** Where an arm's groups begin in `sums`: first their totals, then their bad ones. */
const ARM_AT: Readonly<Record<ArmName, number>> = { stable: 0, candidate: 2 * GROUPS };
/** Behind the counts: Mantel–Haenszel sums over the strata. */
const ODDS_FOR = 4 * GROUPS;
const ODDS_AGAINST = ODDS_FOR + 1;
const EXCESS = ODDS_FOR + 2;
const EXCESS_WEIGHT = ODDS_FOR + 3;
const WIDTH = ODDS_FOR + 4;

export function emptyMark(): Mark {
  return { atMs: 0, sums: new Float64Array(WIDTH) };
}

export function copyMark({ atMs, sums }: Mark): Mark {
  return { atMs, sums: sums.slice() };
}

/** Adds a second to the mark. */
export function addSample(mark: Mark, sample: Sample): void {
  addArm(mark.sums, ARM_AT.stable, sample.stable);
  addArm(mark.sums, ARM_AT.candidate, sample.candidate);
}

function addArm(sums: Float64Array, at: number, { total, bad }: ArmTally): void {
  for (let group = 0; group < GROUPS; group += 1) {
    sums[at + group]! += total[group]!;
    sums[at + GROUPS + group]! += bad[group]!;
  }
}

/** Makes one stratum of the window: its 2×2 table goes into the Mantel–Haenszel sums of its end. */
export function closeStratum({ from, to }: Window): Stratum {
  const candidate = counts({ from, to }, "candidate");
  const stable = counts({ from, to }, "stable");
  const total = candidate.total + stable.total;
  to.sums[ODDS_FOR]! += (candidate.bad * (stable.total - stable.bad)) / total;
  to.sums[ODDS_AGAINST]! += (stable.bad * (candidate.total - candidate.bad)) / total;
  to.sums[EXCESS]! += (candidate.bad * stable.total - stable.bad * candidate.total) / total;
  to.sums[EXCESS_WEIGHT]! += (candidate.total * stable.total) / total;
  const margins = { total, candidate: candidate.total, bad: candidate.bad + stable.bad };
  return { from, to, margins, candidateBad: candidate.bad };
}

export function counts(window: Window, arm: ArmName): Counts {
  const result = { total: 0, bad: 0 };
  for (let group = ARM_AT[arm]; group < ARM_AT[arm] + GROUPS; group += 1) {
    result.total += between(window, group);
    result.bad += between(window, group + GROUPS);
  }
  return result;
}

/**
 * Odds ratio and difference of shares over the strata of a window (Mantel & Haenszel 1959; Greenland & Robins 1985).
 * The ratio is Infinity when only the candidate had bad requests, NaN when nobody had.
 */
export function contrast(window: Window): { odds: number; excess: number } {
  const weight = between(window, EXCESS_WEIGHT);
  const odds = between(window, ODDS_FOR) / between(window, ODDS_AGAINST);
  return { odds, excess: weight > 0 ? between(window, EXCESS) / weight : 0 };
}

/**
 * How many requests weigh as much as one independent request, because failures come in users: Pearson's χ² of the bad
 * counts over the groups by its degrees of freedom, in the arm where it is larger; at least 1 (Kish 1965; Rao & Scott
 * 1992).
 */
export function designEffect(window: Window): number {
  return Math.max(1, dispersion(window, "stable"), dispersion(window, "candidate"));
}

function dispersion(window: Window, arm: ArmName): number {
  const { total, bad } = counts(window, arm);
  if (bad === 0 || bad === total) return 1;
  const share = bad / total;
  let chiSquare = 0;
  let groups = 0;
  for (let group = ARM_AT[arm]; group < ARM_AT[arm] + GROUPS; group += 1) {
    const requests = between(window, group);
    if (requests === 0) continue;
    const surprise = between(window, group + GROUPS) - requests * share;
    chiSquare += (surprise * surprise) / (requests * share * (1 - share));
    groups += 1;
  }
  // All traffic from one group may be one user's: then every failure may be the same one.
  return groups > 1 ? chiSquare / (groups - 1) : bad;
}

function between({ from, to }: Window, index: number): number {
  return to.sums[index]! - from.sums[index]!;
}
