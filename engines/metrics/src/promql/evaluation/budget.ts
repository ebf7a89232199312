import type { QueryBudget } from "../../storage.ts";
import { QueryError } from "./query-error.ts";

export interface QueryLimits {
  /** Samples that are read and made, over the whole query. */
  readonly maxSamples: number;
  readonly maxBytes: number;
  readonly timeoutMs: number;
  readonly nowMs: () => number;
  readonly signal?: AbortSignal;
}

/** What an evaluation is held to: beside what it reads, how long it works on what it has read. */
export interface EvaluationBudget extends QueryBudget {
  /** Counts steps that are worked through; no limit of their number, but the deadline holds. */
  addSteps(steps: number): void;
}

/** Looking at the clock costs as much as some hundred samples. */
const SAMPLES_PER_LOOK = 50_000;
/** A power of two, so that `pace` costs next to nothing; the dearest step takes about a microsecond. */
const STEPS_PER_LOOK = 65_536;

/**
 * For every step of a loop that may be long: a subquery has millions of
 * them, and nobody else would look at the clock until the loop is over.
 */
export function pace(budget: EvaluationBudget, step: number): void {
  if ((step & (STEPS_PER_LOOK - 1)) === STEPS_PER_LOOK - 1) budget.addSteps(STEPS_PER_LOOK);
}

/** Throws a QueryError as soon as a limit is passed. */
export function createBudget(limits: QueryLimits): EvaluationBudget {
  const { maxSamples, maxBytes, timeoutMs, nowMs, signal } = limits;
  const deadlineMs = nowMs() + timeoutMs;
  let samplesUsed = 0;
  let bytesUsed = 0;
  let nextLook = 0;
  let stepsUsed = 0;
  const look = () => {
    if (signal?.aborted === true)
      throw new QueryError("query was canceled in expression evaluation", "timeout");
    if (nowMs() > deadlineMs)
      throw new QueryError(`query timed out in expression evaluation after ${timeoutMs} ms`, "timeout");
  };
  return {
    addSamples(samples) {
      samplesUsed += samples;
      if (samplesUsed > maxSamples) {
        const message = `query processing would load too many samples into memory in query execution (limit ${maxSamples})`;
        throw new QueryError(message, "too-much");
      }
      if (samplesUsed < nextLook) return;
      nextLook = samplesUsed + SAMPLES_PER_LOOK;
      look();
    },
    addSteps(steps) {
      stepsUsed += steps;
      if (stepsUsed < STEPS_PER_LOOK) return;
      stepsUsed = 0;
      look();
    },
    addBytes(bytes) {
      bytesUsed += bytes;
      if (bytesUsed > maxBytes) {
        throw new QueryError(`query would need more than ${maxBytes} bytes of memory`, "too-much");
      }
    },
  };
}
