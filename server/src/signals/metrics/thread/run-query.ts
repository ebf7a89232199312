import type { QueryResult, QuerySettings } from "@mainstay/metrics";
import type { MetricsStore as Store } from "@mainstay/metrics/tsdb";
import type { Clock } from "../../../kernel/clock.ts";
import type { QueryLog } from "./query-log.ts";
import { querySettings, type QueryWish } from "./query-settings.ts";
import type { ThreadSettings } from "./settings.ts";

export interface RunQueryDependencies {
  store: Store;
  settings: ThreadSettings;
  clock: Clock;
  queryLog: QueryLog;
}

export interface QueryRun extends Omit<QueryWish, "counted"> {
  query: string;
  /** 0: for one moment. */
  rangeMs: number;
  run(settings: QuerySettings): Promise<QueryResult>;
}

/** Evaluates a query, and notes what it cost, however it ends. */
export async function runQuery(
  dependencies: RunQueryDependencies,
  { query, rangeMs, run, ...wish }: QueryRun,
): Promise<QueryResult & { durationMs: number; samples: number }> {
  const { clock, queryLog } = dependencies;
  const counted = { samples: 0 };
  const startedMs = clock.monotonicMs();
  const cost = () => ({ durationMs: clock.monotonicMs() - startedMs, samples: counted.samples });
  try {
    const result = await run(querySettings(dependencies, { ...wish, counted }));
    return { ...result, ...cost() };
  } finally {
    queryLog.note({ query, rangeMs, ...cost(), atMs: clock.now().getTime() });
  }
}
