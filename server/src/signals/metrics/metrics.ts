import path from "node:path";
import type { MetricsConfig } from "@mainstay/api";
import type { LongRunning } from "../../kernel/actors.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Log } from "../../kernel/log.ts";
import type { Metrics } from "../../kernel/metrics.ts";
import { configuredAccess, type Env } from "./connection/configured-access.ts";
import type { MetricsStore } from "./metrics-store.ts";
import type { QueryApi } from "./query-api.ts";
import { createRemoteApi, FORWARDED, type RemoteApi } from "./remote/remote-api.ts";
import { storeMetrics } from "./self-metrics.ts";
import { threadSettings } from "./settings.ts";
import { createThreadKeeper, type ThreadState } from "./thread/keeper.ts";

export interface MetricsRoomDependencies {
  dataDirectory: string;
  config: MetricsConfig;
  clock: Clock;
  log: Log;
  /** Where secrets of other servers may be. */
  env?: Env;
  /** Of this process: what the room costs and refuses is counted there. */
  metrics: Metrics;
}

/** The metrics store of the platform. */
export interface MetricsRoom extends LongRunning {
  /** What is decided by is asked here, whatever answers the API. */
  store: MetricsStore;
  api: QueryApi;
  state(): ThreadState;
  /** What is wrong, in words. */
  problems(): readonly MetricsProblem[];
  /** Whose new series a budget refuses. */
  budgetProblems(): readonly BudgetProblem[];
  /** Receivers of remote-write that samples do not reach. */
  remoteWriteProblems(): readonly RemoteWriteProblem[];
}

/** As the room of problems takes it. */
export interface BudgetProblem {
  kind: "series-refused";
  subject: "metrics-store";
  summary: string;
}

/** As the room of problems takes it. */
export interface RemoteWriteProblem {
  kind: "remote-write-failing";
  subject: string;
  summary: string;
}

export interface MetricsProblem {
  subject: "metrics-store" | "remote-metrics";
  summary: string;
}

/** Builds the room; its store answers from `start` on, and fails as unavailable until then. */
export function createMetricsRoom(dependencies: MetricsRoomDependencies): MetricsRoom {
  const { dataDirectory, config, clock, log, env = {}, metrics } = dependencies;
  const settings = threadSettings(config, { directory: path.join(dataDirectory, "metrics"), env });
  const keeper = createThreadKeeper({ settings, heapBytes: config.heap, clock, log });
  metrics.registerCollector("metrics", () => storeMetrics(keeper));
  const { url } = config.remote;
  const isRemote = config.engine === "remote" && url !== null;
  const remote = isRemote
    ? createRemoteApi({
        ...{ config: { ...config.remote, url }, access: configuredAccess(config.remote, env) },
        ...{ clock, log, metrics },
      })
    : null;
  return {
    name: "metrics",
    store: keeper.store,
    state: keeper.state,
    api: remote === null ? keeper.store : apiOver(keeper.store, remote),
    problems: () => problemsOf({ store: keeper.problem(), remote: remote?.problem() ?? null }),
    budgetProblems: () => budgetProblems(keeper.budgetTrouble()),
    remoteWriteProblems: () => remoteWriteProblems(keeper.sendingTroubles()),
    start() {
      keeper.start();
      remote?.start();
    },
    async stop() {
      remote?.stop();
      await keeper.stop();
    },
  };
}

/** Questions about samples go to the remote, those about the platform itself do not. */
function apiOver(store: MetricsStore, remote: RemoteApi): QueryApi {
  return {
    answer: (call, signal) =>
      FORWARDED.has(call.endpoint) ? remote.answer(call, signal) : store.answer(call),
  };
}

function problemsOf({ store, remote }: { store: string | null; remote: string | null }): MetricsProblem[] {
  return [
    ...(store === null
      ? []
      : [{ subject: "metrics-store" as const, summary: `The metrics store is in trouble: ${store}` }]),
    ...(remote === null
      ? []
      : [{ subject: "remote-metrics" as const, summary: `Metrics cannot be queried: ${remote}` }]),
  ];
}

function budgetProblems(trouble: string | null): BudgetProblem[] {
  if (trouble === null) return [];
  return [{ kind: "series-refused", subject: "metrics-store", summary: `Metrics are refused: ${trouble}` }];
}

function remoteWriteProblems(troubles: ReadonlyMap<string, string>): RemoteWriteProblem[] {
  return [...troubles].map(([subject, trouble]) => ({
    ...{ kind: "remote-write-failing", subject },
    summary: `Samples do not all reach ${subject}: ${trouble}`,
  }));
}
