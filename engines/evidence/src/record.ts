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

/** An arm's part of `sums`: its total and its bad requests, then both by group. */
const TOTAL = 0;
const BAD = 1;
const GROUP_TOTAL = 2;
const GROUP_BAD = GROUP_TOTAL + GROUPS;
const ARM_WIDTH = GROUP_BAD + GROUPS;
const ARM_AT: Readonly<Record<ArmName, number>> = { stable: 0, candidate: ARM_WIDTH };
/** Behind the arms: Mantel–Haenszel sums over the strata. */
const ODDS_FOR = 2 * ARM_WIDTH;
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
    sums[at + TOTAL]! += total[group]!;
    sums[at + BAD]! += bad[group]!;
    sums[at + GROUP_TOTAL + group]! += total[group]!;
    sums[at + GROUP_BAD + group]! += bad[group]!;
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
  return { total: between(window, ARM_AT[arm] + TOTAL), bad: between(window, ARM_AT[arm] + BAD) };
}

export function ofGroup(window: Window, arm: ArmName, group: number): Counts {
  const at = ARM_AT[arm] + GROUP_BAD + group;
  return { total: between(window, at - GROUPS), bad: between(window, at) };
}

/**
 * Odds ratio and difference of shares over the strata of a window (Mantel & Haenszel 1959; Greenland &
 * Robins 1985). The ratio is Infinity when only the candidate had bad requests, NaN when nobody had.
 */
export function contrast(window: Window): { odds: number; excess: number } {
  const weight = between(window, EXCESS_WEIGHT);
  const odds = between(window, ODDS_FOR) / between(window, ODDS_AGAINST);
  return { odds, excess: weight > 0 ? between(window, EXCESS) / weight : 0 };
}

function between({ from, to }: Window, index: number): number {
  return to.sums[index]! - from.sums[index]!;
}
