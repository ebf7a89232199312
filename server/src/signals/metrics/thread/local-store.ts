import type { QueryResult, QuerySettings } from "@mainstay/metrics";
import type { MetricsStore as Store } from "@mainstay/metrics/tsdb";
import type { Clock } from "../../../kernel/clock.ts";
import type { MetricsStore } from "../metrics-store.ts";
import { appendBatch } from "./append-batch.ts";
import type { Deliver } from "./ingest/deliver.ts";
import type { Intakes } from "./intake.ts";
import type { QueryLog } from "./query-log.ts";
import type { Reads } from "./reads.ts";
import { runQuery } from "./run-query.ts";
import { toListOptions } from "./selectors.ts";
import type { Remotes } from "./sending/start-remotes.ts";
import { createScrapeSink } from "./take-scrape.ts";
import type { ThreadSettings } from "./settings.ts";
import type { Statsd } from "./statsd.ts";

export interface LocalStoreDependencies {
  store: Store;
  settings: ThreadSettings;
  clock: Clock;
  intakes: Intakes;
  /** A new directory for a snapshot, and what it is called. */
  nameSnapshot(): { directory: string; name: string };
  statsd: Statsd | null;
  remotes: Pick<Remotes, "views"> | null;
  queryLog: QueryLog;
}

const LARGEST_METRICS = 10;

/** The store as the rooms know it, over the engine's, in the thread in which that lives. */
export function createLocalStore(dependencies: LocalStoreDependencies): MetricsStore {
  const { store, settings, clock, intakes, nameSnapshot, statsd, remotes } = dependencies;
  let deliver: Deliver | null = null;
  let reads: Reads | null = null;

  async function openReads(): Promise<Reads> {
    if (reads === null) {
      const { createReads } = await import("./reads.ts");
      reads = createReads(dependencies);
    }
    return reads;
  }

  return {
    ...createScrapeSink(intakes),
    append: async (batch) => appendBatch(intakes.begin(batch.origin), batch),
    async backfill(batch) {
      const { backfillBatch } = await import("./backfill.ts");
      return backfillBatch(store, intakes.begin(batch.origin), batch);
    },
    async ingest(delivery) {
      if (deliver === null) {
        const { createDeliver } = await import("./ingest/deliver.ts");
        deliver = createDeliver({ beginIntake: () => intakes.begin("outside"), settings });
      }
      return deliver(delivery);
    },
    async query(request) {
      const { queryInstant } = await import("@mainstay/metrics");
      const { query, timeMs = clock.now().getTime() } = request;
      const run = (wish: QuerySettings) => queryInstant(query, timeMs, wish);
      return runQuery(dependencies, { ...request, rangeMs: 0, run });
    },
    async queryRange(request): Promise<QueryResult> {
      const { queryRange } = await import("@mainstay/metrics");
      const { query, startMs, endMs } = request;
      const run = (wish: QuerySettings) => queryRange(query, request, wish);
      return runQuery(dependencies, { ...request, rangeMs: endMs - startMs, run });
    },
    series: async (request) => store.series(await toListOptions(request)),
    labelNames: async (request) => store.labelNames(await toListOptions(request)),
    labelValues: async (request) => store.labelValues(request.label, await toListOptions(request)),
    exemplars: async (request) => store.exemplars(await toListOptions(request)),
    metadata: async () => store.metadata(),
    deleteSeries: async (request) => store.deleteSamples(await toListOptions(request)),
    cleanTombstones: async () => store.cleanTombstones(),
    async snapshot() {
      const { directory, name } = nameSnapshot();
      await store.snapshot(directory);
      return name;
    },
    beginRead: async (request) => (await openReads()).begin(request),
    nextOfRead: async (cursor) => (await openReads()).next(cursor),
    endRead: async (cursor) => reads?.end(cursor),
    async answer(call) {
      const { answerApi } = await import("./api/answer.ts");
      return answerApi(dependencies, call);
    },
    remoteWrites: async () => remotes?.views() ?? [],
    async stats() {
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      const thread = { heapBytes: heapUsed, bufferBytes: arrayBuffers };
      const told = statsd && { port: statsd.port(), lines: statsd.lines(), refused: statsd.refused() };
      return {
        ...{ ...store.status(), cardinality: store.cardinality(LARGEST_METRICS), thread },
        ...{ refusedNames: intakes.refusedNames(), statsd: told },
      };
    },
  };
}
