import type { Histogram } from "../histogram.ts";
import { addHistogram, createHistogramSum, toHistogram } from "../promql/histograms/histogram-sum.ts";

/** The sum or difference of two histograms of one kind. */
export function addHistograms(a: Histogram, b: Histogram, sign: 1 | -1): Histogram {
  const total = createHistogramSum(a);
  addHistogram(total, b, sign);
  return toHistogram(total);
}
