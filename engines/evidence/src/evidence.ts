import type { Counts } from "./record.ts";

export type Verdict = "harm" | "no-harm" | "insufficient";

/** What is known about a candidate; plain data, every number finite. */
export interface Evidence {
  verdict: Verdict;
  /** Of the metric that comes closest to its threshold for harm. */
  eValue: number;
  threshold: number;
  designEffect: number;
  /** A regression of this odds ratio would by now have shown in every metric; null: not even one of 100. */
  smallestDetectableRatio: number | null;
  perMetric: MetricEvidence[];
}

export interface MetricEvidence {
  metric: string;
  verdict: Verdict;
  /** Evidence that the candidate is worse. */
  eValue: number;
  threshold: number;
  designEffect: number;
  /** Start of the counts, ratio and excess below: of the regression when one shows, else of the stage. */
  fromMs: number;
  /** Odds of a bad request, candidate to stable; null while that is undefined. */
  ratio: number | null;
  candidate: Counts;
  stable: Counts;
  /** Evidence that the candidate is not much worse, gathered in this stage. */
  noHarmEValue: number;
  noHarmThreshold: number;
  smallestDetectableRatio: number | null;
  reason: string;
}
