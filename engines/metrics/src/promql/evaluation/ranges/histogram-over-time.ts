import type { Histogram } from "../../../histogram.ts";
import { divide } from "../../histograms/arithmetic.ts";
import {
  addHistogram,
  copySum,
  createHistogramSum,
  divideSum,
  hasOverflow,
  type HistogramSum,
  scaleSum,
  toHistogram,
} from "../../histograms/histogram-sum.ts";
import { histogramsOf, type RangeFunction, type Window } from "../window.ts";
import { warnMixedSchemas } from "./messages.ts";

/** A mean of histograms that is taken step by step once their sum overflows. */
export interface HistogramMean {
  total: HistogramSum;
  count: number;
  isIncremental: boolean;
}

/** Adds one more; false when it does not fit to the others. */
export function addToMean(mean: HistogramMean, histogram: Histogram): boolean {
  mean.count += 1;
  if (!mean.isIncremental) {
    const before = copySum(mean.total);
    if (!addHistogram(mean.total, histogram)) return false;
    if (!hasOverflow(mean.total)) return true;
    mean.isIncremental = true;
    mean.total = before;
    divideSum(mean.total, mean.count - 1);
  }
  scaleSum(mean.total, (mean.count - 1) / mean.count);
  return addHistogram(mean.total, divide(histogram, mean.count));
}

export function meanHistogram({ total, count, isIncremental }: HistogramMean): Histogram {
  return isIncremental ? toHistogram(total) : divide(toHistogram(total), count);
}

export const sumOverTime: RangeFunction = (window) => {
  const [first, ...rest] = histogramsOf(window);
  if (first === undefined) return undefined;
  const total = createHistogramSum(first);
  if (!rest.every((histogram) => addHistogram(total, histogram))) return warnMixedSchemas(window);
  tell(window, [first, ...rest], total);
  return toHistogram(total);
};

export const averageOverTime: RangeFunction = (window) => {
  const [first, ...rest] = histogramsOf(window);
  if (first === undefined) return undefined;
  const mean: HistogramMean = { total: createHistogramSum(first), count: 1, isIncremental: false };
  if (!rest.every((histogram) => addToMean(mean, histogram))) return warnMixedSchemas(window);
  tell(window, [first, ...rest], mean.total);
  return meanHistogram(mean);
};

function tell({ annotations, position }: Window, samples: readonly Histogram[], total: HistogramSum): void {
  const hints = new Set(samples.map((sample) => sample.resetHint));
  if (hints.has("reset") && hints.has("not-reset")) {
    annotations.warn("conflicting counter resets during histogram aggregation", position);
  }
  if (total.hasReconciled) {
    annotations.inform("mismatched custom buckets were reconciled during aggregation", position);
  }
}
