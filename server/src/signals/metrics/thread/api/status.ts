import type { NamedCount } from "@mainstay/metrics/tsdb";
import { readCount } from "../../parameters.ts";
import type { Answered, Call } from "./call.ts";

const USUAL_LIMIT = 10;

/** `status/tsdb`: how large the head is, and what makes it so. */
export function answerTsdb({ parameters, store }: Call): Answered {
  const limit = readCount(parameters, "limit", USUAL_LIMIT);
  const { head } = store.status();
  const report = store.cardinality(limit);
  const named = (counts: readonly NamedCount[]) => counts.map(({ name, count }) => ({ name, value: count }));
  return {
    data: JSON.stringify({
      headStats: {
        numSeries: head.series,
        numLabelPairs: report.labelPairs,
        chunkCount: head.chunks,
        minTime: head.minMs ?? 0,
        maxTime: head.maxMs ?? 0,
      },
      seriesCountByMetricName: named(report.seriesByMetric),
      labelValueCountByLabelName: named(report.valuesByLabel),
      memoryInBytesByLabelName: named(report.charactersByLabel),
      seriesCountByLabelValuePair: named(report.seriesByLabelPair),
    }),
  };
}
