import type { Histogram } from "../../histogram.ts";
import type { HistogramColumn, Series } from "../../storage.ts";
import { detectReset } from "./resets.ts";

/**
 * The series with histograms that say whether their counter was reset before them, where the writer did not.
 * Prometheus finds it out for functions that need no buckets, and tells of conflicts it finds so.
 */
export function withDetectedResets(series: Series): Series {
  const { labels, histograms } = series;
  if (histograms === undefined) return series;
  return {
    labels,
    get floats() {
      return series.floats;
    },
    histograms: { ...histograms, values: hinted(histograms) },
  };
}

function hinted({ values }: HistogramColumn): Histogram[] {
  return values.map((histogram, index) => {
    const previous = values[index - 1];
    if (histogram.resetHint !== "unknown" || previous === undefined) return histogram;
    return { ...histogram, resetHint: detectReset(histogram, previous) ? "reset" : "not-reset" };
  });
}
