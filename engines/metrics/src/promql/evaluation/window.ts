import type { Position } from "../syntax/ast.ts";
import type { Annotations } from "./annotations.ts";
import type { EvaluationBudget } from "./budget.ts";
import type { RangeSeries } from "./range-series.ts";
import type { Histogram } from "../../histogram.ts";

/**
 * The samples of a series that a function sees at one step:
 * from `from` on, `to` excluded. Reused for every step.
 */
export interface Window {
  series: RangeSeries;
  from: number;
  to: number;
  histogramFrom: number;
  histogramTo: number;
  /** The moment of evaluation, and the range it sees: after `startMs`, up to `endMs`. */
  timeMs: number;
  startMs: number;
  endMs: number;
  rangeMs: number;
  /** The scalar arguments at this step. */
  parameters: number[];
  extension: "anchored" | "smoothed" | null;
  /** Of the range argument. */
  position: Position;
  annotations: Annotations;
  /** Of the whole query: a window may hold millions of samples. */
  budget: EvaluationBudget;
  metricName: string;
  /** The sum of the values lost by resets up to each sample; made when first asked for. */
  resets: Float64Array | null;
}

/** A float, a histogram, or nothing at this step. */
export type RangeFunction = (window: Window) => number | Histogram | undefined;

export function floatCount({ from, to }: Window): number {
  return to - from;
}

export function histogramCount({ histogramFrom, histogramTo }: Window): number {
  return histogramTo - histogramFrom;
}

/** The floats of the window, as a view. */
export function floatsOf({ series, from, to }: Window): Float64Array {
  return series.values.subarray(from, to);
}

export function histogramsOf({ series, histogramFrom, histogramTo }: Window): readonly Histogram[] {
  return series.histograms.slice(histogramFrom, histogramTo);
}
