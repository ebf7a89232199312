import type { ArmTally } from "@mainstay/evidence";
import type { Overseer, Second } from "@mainstay/evidence/simulation";

/** The rules of peers, as they publish them, on errors alone. None of them knows "no harm": time decides. */

const WINDOW_SECONDS = 60;
const SUCCESS_MIN = 0.99;
const FAILED_CHECKS_MAX = 5;

/**
 * Flagger's tutorial: success rate of the candidate below 99 % over 60 s, looked at each 60 s, five times.
 */
export function createThresholdOverseer(): Overseer {
  let seconds = 0;
  let total = 0;
  let bad = 0;
  let failedChecks = 0;
  return {
    startStage: () => {},
    see({ requests, errors }) {
      if (requests > 0) total += add(errors.candidate.total);
      if (requests > 0) bad += add(errors.candidate.bad);
      seconds += 1;
      if (seconds % WINDOW_SECONDS !== 0) return "insufficient";
      if (total > 0 && 1 - bad / total < SUCCESS_MIN) failedChecks += 1;
      total = bad = 0;
      return failedChecks >= FAILED_CHECKS_MAX ? "harm" : "insufficient";
    },
  };
}

const RETEST_SECONDS = 10;
const P_MAX = 0.05;

/**
 * Fisher's exact test on all counts so far, repeated every
 * 10 s, harm at p < 0.05: what many write themselves.
 */
export function createFisherOverseer(): Overseer {
  const sums = emptySums();
  let seconds = 0;
  return {
    startStage: () => {},
    see(second) {
      count(sums, second);
      seconds += 1;
      if (seconds % RETEST_SECONDS !== 0) return "insufficient";
      return fisherTail(sums) < P_MAX ? "harm" : "insufficient";
    },
  };
}

const POINT_SECONDS = 10;
const FEWEST_POINTS = 12;
const TOLERANCE = 0.25;
/** Of the standard normal distribution, for a confidence of 98 %. */
const Z_98 = 2.326;

/**
 * Kayenta's judge: error rates in points of 10 s, from twelve on compared by Mann and Whitney (1947): harm
 * when the 98 % interval of the shift between the arms lies above a quarter of the shift itself.
 */
export function createMannWhitneyOverseer(): Overseer {
  const points = { candidate: [] as number[], stable: [] as number[] };
  let sums = emptySums();
  let seconds = 0;
  return {
    startStage: () => {},
    see(second) {
      count(sums, second);
      seconds += 1;
      if (seconds % POINT_SECONDS !== 0) return "insufficient";
      for (const arm of ["candidate", "stable"] as const) {
        if (sums[arm].total > 0) points[arm].push(sums[arm].bad / sums[arm].total);
      }
      sums = emptySums();
      return isShifted(points) ? "harm" : "insufficient";
    },
  };
}

/** The estimate of Hodges & Lehmann (1963) and its interval, in the normal approximation. */
function isShifted({ candidate, stable }: { candidate: number[]; stable: number[] }): boolean {
  if (Math.min(candidate.length, stable.length) < FEWEST_POINTS) return false;
  const shifts = candidate.flatMap((each) => stable.map((other) => each - other)).toSorted((a, b) => a - b);
  const deviation = Math.sqrt((shifts.length * (candidate.length + stable.length + 1)) / 12);
  const lowest = shifts[Math.max(0, Math.floor(shifts.length / 2 - Z_98 * deviation))] ?? 0;
  const estimate = shifts[Math.floor(shifts.length / 2)] ?? 0;
  return lowest > TOLERANCE * Math.abs(estimate);
}

function emptySums(): Sums {
  return { candidate: { total: 0, bad: 0 }, stable: { total: 0, bad: 0 } };
}

interface Sums {
  candidate: { total: number; bad: number };
  stable: { total: number; bad: number };
}

function count(sums: Sums, { requests, errors }: Second): void {
  if (requests === 0) return;
  for (const arm of ["candidate", "stable"] as const) {
    sums[arm].total += add(errors[arm].total);
    sums[arm].bad += add(errors[arm].bad);
  }
}

/** P(candidate has as many bad requests or more), given the margins (Fisher 1935, one-sided). */
function fisherTail({ candidate, stable }: Sums): number {
  const bad = candidate.bad + stable.bad;
  const logAll = logChoose(candidate.total + stable.total, bad);
  let tail = 0;
  for (let x = candidate.bad; x <= Math.min(bad, candidate.total); x += 1) {
    tail += Math.exp(logChoose(candidate.total, x) + logChoose(stable.total, bad - x) - logAll);
  }
  return Math.min(1, tail);
}

function logChoose(n: number, k: number): number {
  if (k < 0 || k > n) return -Infinity;
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}

/** Stirling's series; exact to 1e-10 from 10 on, and by sum below. */
function logFactorial(n: number): number {
  if (n < 10)
    return Array.from({ length: n }, (_, each) => Math.log(each + 1)).reduce((sum, each) => sum + each, 0);
  return n * Math.log(n) - n + Math.log(2 * Math.PI * n) / 2 + 1 / (12 * n) - 1 / (360 * n ** 3);
}

function add(arm: ArmTally["total"]): number {
  return arm.reduce((sum, each) => sum + each, 0);
}
