import type { Facts } from "@mainstay/rollout";

/** The facts of a decision for which nobody has looked: an order alone, or a single fact beside it. */
export function nothingKnown(nowMs: number): Facts {
  return {
    nowMs,
    settled: false,
    failure: null,
    note: null,
    undoBlocked: null,
    verdict: null,
    gates: [],
    command: null,
  };
}
