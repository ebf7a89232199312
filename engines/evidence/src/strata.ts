import { addSample, closeStratum, copyMark, emptyMark, type Mark, type Stratum } from "./record.ts";
import { SAMPLE_MS, type ArmTally, type Sample } from "./sample.ts";

/** A stratum is as short as still brings each arm about this many requests … */
const FEWEST_REQUESTS = 4;
const ENOUGH_REQUESTS = 4 * FEWEST_REQUESTS;
/** … but never longer than this. */
const LONGEST_MS = 1_024 * SAMPLE_MS;

/**
 * Cuts the time of one metric into strata. A second with a single request compares
 * nothing, so a stratum lasts 2ⁿ seconds. Its length follows from the traffic of the
 * stratum before, never from failures: what is decided beforehand cannot favour an arm.
 * Memory does not grow: a mark is a copy, and only those somebody holds on to stay.
 */
export interface Strata {
  /** Counts a second; gives the strata that are complete by it. */
  add(sample: Sample): Stratum[];
  /** Ends the running stratum early, because circumstances change. */
  cut(atMs: number): Stratum[];
  /** The end of the last stratum. */
  end(): Mark;
}

export function createStrata(): Strata {
  let from = emptyMark();
  let open: Mark | null = null;
  let startMs = 0;
  let lengthMs = SAMPLE_MS;

  function begin(atMs: number): Mark {
    startMs = atMs;
    from = { ...from, atMs };
    return copyMark(from);
  }

  function cut(atMs: number): Stratum[] {
    if (open === null) return [];
    const stratum = closeStratum({ from, to: { ...open, atMs } });
    lengthMs = nextLength(lengthMs, stratum);
    from = stratum.to;
    open = null;
    return [stratum];
  }

  return {
    end: () => from,
    cut,
    add(sample) {
      const isInside = sample.atMs >= startMs && sample.atMs < startMs + lengthMs;
      const overdue = isInside ? [] : cut(startMs + lengthMs);
      if (isEmpty(sample.stable) && isEmpty(sample.candidate)) return overdue;
      open ??= begin(sample.atMs);
      addSample(open, sample);
      const isComplete = sample.atMs + SAMPLE_MS >= startMs + lengthMs;
      return isComplete ? [...overdue, ...cut(sample.atMs + SAMPLE_MS)] : overdue;
    },
  };
}

function isEmpty(arm: ArmTally): boolean {
  return arm.total.every((count) => count === 0);
}

function nextLength(lengthMs: number, { margins }: Stratum): number {
  const fewer = Math.min(margins.candidate, margins.total - margins.candidate);
  if (fewer < FEWEST_REQUESTS) return Math.min(lengthMs * 2, LONGEST_MS);
  if (fewer >= ENOUGH_REQUESTS) return Math.max(lengthMs / 2, SAMPLE_MS);
  return lengthMs;
}
