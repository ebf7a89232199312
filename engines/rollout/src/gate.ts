/** What a gate asks for: one value within limits, or counts of both arms, which the judge compares. */
export type GateQuestion =
  | { kind: "threshold"; query: string; min: number | null; max: number | null }
  | { kind: "comparison"; bad: string; total: string };

/** A question about the world that wants a good answer while the candidate serves. */
export interface PlannedGate {
  name: string;
  question: GateQuestion;
  /** What follows when nothing answers. */
  noData: "hold" | "fail" | "ignore";
  /** For how long it must have failed before the change is undone. */
  forMs: number;
  intervalMs: number;
}

/** What a question came to; `none` says why there is no data. */
export type GateAnswer = { values: readonly GateValue[] } | { none: string };

export interface GateValue {
  /** Of which series; empty when there is only one. */
  labels: string;
  value: number;
}

/** Where a gate stands; plain data. */
export interface GateResult {
  name: string;
  state: "passed" | "broken" | "no-data";
  /** The worst one; null when there is none. */
  value: number | null;
  /** In words, with its numbers. */
  reason: string;
  /** When it was asked last. */
  atMs: number;
  /** Since when it has been in this state. */
  sinceMs: number;
}
