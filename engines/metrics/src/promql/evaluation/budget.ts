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

/** Looking at the clock costs as much as some hundred samples. */
const SAMPLES_PER_LOOK = 50_000;

/** Throws a QueryError as soon as a limit is passed. */
export function createBudget({ maxSamples, maxBytes, timeoutMs, nowMs, signal }: QueryLimits): QueryBudget {
  const deadlineMs = nowMs() + timeoutMs;
  let samplesUsed = 0;
  let bytesUsed = 0;
  let nextLook = 0;
  return {
    addSamples(samples) {
      samplesUsed += samples;
      if (samplesUsed > maxSamples) {
        const message = `query processing would load too many samples into memory in query execution (limit ${maxSamples})`;
        throw new QueryError(message, "too-much");
      }
      if (samplesUsed < nextLook) return;
      nextLook = samplesUsed + SAMPLES_PER_LOOK;
      if (signal?.aborted === true)
        throw new QueryError("query was canceled in expression evaluation", "timeout");
      if (nowMs() > deadlineMs) {
        throw new QueryError(`query timed out in expression evaluation after ${timeoutMs} ms`, "timeout");
      }
    },
    addBytes(bytes) {
      bytesUsed += bytes;
      if (bytesUsed > maxBytes) {
        throw new QueryError(`query would need more than ${maxBytes} bytes of memory`, "too-much");
      }
    },
  };
}
