import type { NamedCount } from "@mainstay/metrics/tsdb";
import { ApiError, invalidParameter } from "../../api-error.ts";
import { readCount, readDurationMs } from "../../parameters.ts";
import { KEPT_MS, type QueryCost } from "../query-log.ts";
import type { Answered, Call } from "./call.ts";

const USUAL_LIMIT = 10;
const LIMIT_MAX = 10_000;

/** `status/tsdb`: how large the head is, and what makes it so. */
export function answerTsdb({ parameters, store }: Call): Answered {
  const limit = readCount(parameters, "limit", USUAL_LIMIT);
  if (limit > LIMIT_MAX) throw new ApiError("bad_data", `limit must not exceed ${LIMIT_MAX}`);
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

const ORDERS: Readonly<Record<string, (cost: QueryCost) => number>> = {
  sum: ({ sumMs }) => sumMs,
  avg: ({ sumMs, count }) => sumMs / count,
  max: ({ longestMs }) => longestMs,
  count: ({ count }) => count,
  samples: ({ samples }) => samples,
};

/** `status/top_queries`: what cost the most of late. */
export function answerTopQueries({ parameters, clock, queryLog }: Call): Answered {
  const limit = readCount(parameters, "limit", USUAL_LIMIT);
  const order = ORDERS[parameters.text("sort") || "sum"];
  if (!order) throw invalidParameter("sort", `expected one of ${Object.keys(ORDERS).join(", ")}`);
  const sinceMs = clock.now().getTime() - (readDurationMs(parameters, "lifetime") ?? KEPT_MS);
  const costs = queryLog.costs(sinceMs).toSorted((a, b) => order(b) - order(a));
  const data = costs.slice(0, limit).map((cost) => ({
    query: cost.query,
    timeRangeSeconds: cost.rangeMs / 1000,
    count: cost.count,
    sumDurationSeconds: cost.sumMs / 1000,
    avgDurationSeconds: cost.sumMs / 1000 / cost.count,
    maxDurationSeconds: cost.longestMs / 1000,
    samples: cost.samples,
    lastAskedAt: new Date(cost.lastAtMs).toISOString(),
  }));
  return { data: JSON.stringify(data) };
}
