import { type HistogramSum, addHistogram } from "../../histograms/histogram-sum.ts";
import type { Histogram } from "../../../histogram.ts";
import type { Window } from "../window.ts";

/** The remarks that several functions over ranges make, in the words of Prometheus. */
export function warnMixed({ annotations, position, metricName }: Window): undefined {
  const name = JSON.stringify(metricName);
  annotations.warn(`encountered a mix of histograms and floats for metric name ${name}`, position);
}

export function warnMixedSchemas({ annotations, position, metricName }: Window): undefined {
  const message =
    "vector contains a mix of histograms with exponential and custom buckets schemas for metric name";
  annotations.warn(`${message} ${JSON.stringify(metricName)}`, position);
}

export function warnNotCounter({ annotations, position, metricName }: Window): void {
  annotations.warn(`this native histogram metric is not a counter: ${JSON.stringify(metricName)}`, position);
}

export function warnNotGauge({ annotations, position, metricName }: Window): void {
  annotations.warn(`this native histogram metric is not a gauge: ${JSON.stringify(metricName)}`, position);
}

export function informIgnored({ annotations, position, metricName }: Window): void {
  const message = "ignored histograms in a range containing both floats and histograms for metric name";
  annotations.inform(`${message} ${JSON.stringify(metricName)}`, position);
}

/** Adds or subtracts a histogram, and tells what had to be adapted. False when both do not fit together. */
export function addTelling(
  total: HistogramSum,
  histogram: Histogram,
  { window, sign }: { window: Window; sign: 1 | -1 },
): boolean {
  total.hasReconciled = false;
  if (!addHistogram(total, histogram, sign)) {
    warnMixedSchemas(window);
    return false;
  }
  if (total.hasReconciled) {
    const operation = sign === 1 ? "addition" : "subtraction";
    window.annotations.inform(
      `mismatched custom buckets were reconciled during ${operation}`,
      window.position,
    );
  }
  return true;
}
