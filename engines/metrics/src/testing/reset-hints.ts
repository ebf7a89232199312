import type { Histogram } from "../histogram.ts";
import { isCustom } from "../promql/histograms/bounds.ts";
import { detectReset } from "../promql/histograms/resets.ts";
import type { WrittenSample } from "./memory-storage.ts";

/**
 * Samples as a store hands them out: each histogram of a
 * counter says whether the counter was reset before it.
 */
export function withResetHints(samples: readonly WrittenSample[]): WrittenSample[] {
  let previous: Histogram | null = null;
  const hinted: WrittenSample[] = [];
  for (const sample of samples) {
    const { value } = sample;
    if (typeof value === "number" || value === "stale") {
      previous = null;
      hinted.push(sample);
      continue;
    }
    const histogram = hint(value, previous);
    previous = value;
    hinted.push({ ...sample, value: histogram });
  }
  return hinted;
}

function hint(histogram: Histogram, previous: Histogram | null): Histogram {
  if (histogram.resetHint === "gauge") return histogram;
  if (histogram.resetHint === "reset" || previous === null || previous.resetHint === "gauge")
    return { ...histogram, resetHint: "unknown" };
  const isOther = isCustom(histogram) !== isCustom(previous);
  const isReset = isOther || detectReset({ ...histogram, resetHint: "unknown" }, previous);
  return { ...histogram, resetHint: isReset ? "unknown" : "not-reset" };
}
