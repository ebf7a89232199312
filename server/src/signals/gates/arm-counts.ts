import { ARMS, GROUPS, type Arm } from "@mainstay/api";
import type { ArmTally, Block } from "../../core/changes/index.ts";

/** What a counter of each arm showed at one moment. */
export type Reading = Record<Arm, { bad: number; total: number }>;

export interface Counted {
  reading: Reading;
  atMs: number;
}

/**
 * What was counted between two readings, each event once; null while it makes no sense as counts: a counter
 * began anew, or the scrape of one ran ahead of the other's. Then the stretch goes on (`isKept`) or is lost.
 *
 * Nobody knows which user an event belongs to, so the stretches of time stand for the groups of users, in
 * turn: what comes in bursts shows in a few groups, and the design effect of the evidence rises with it.
 */
export function countBetween(
  before: Counted,
  now: Counted,
  turn: number,
): { block: Block | null; isKept: boolean } {
  const tallies = ARMS.map((arm) => {
    const total = wholeNumber(now.reading[arm].total - before.reading[arm].total);
    const bad = wholeNumber(now.reading[arm].bad - before.reading[arm].bad);
    return { total, bad };
  });
  if (tallies.some(({ total, bad }) => total === null || bad === null || total < 0 || bad < 0))
    return { block: null, isKept: false };
  if (tallies.some(({ total, bad }) => (bad ?? 0) > (total ?? 0))) return { block: null, isKept: true };
  const [stable, candidate] = tallies.map(({ total, bad }) => inGroup(turn % GROUPS, total ?? 0, bad ?? 0));
  if (!stable || !candidate) return { block: null, isKept: false };
  return { block: { fromMs: before.atMs, atMs: now.atMs, stable, candidate }, isKept: false };
}

/** Null for what is no count; sums of counters are whole up to the precision of their type. */
function wholeNumber(value: number): number | null {
  const rounded = Math.round(value);
  return Number.isSafeInteger(rounded) && Math.abs(value - rounded) < 1e-3 ? rounded : null;
}

function inGroup(group: number, total: number, bad: number): ArmTally {
  const only = (count: number) => Array.from({ length: GROUPS }, (_, index) => (index === group ? count : 0));
  return { total: only(total), bad: only(bad) };
}
