import path from "node:path";
import type { MetricsConfig } from "@mainstay/api";
import type { LongRunning } from "../../kernel/actors.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Log } from "../../kernel/log.ts";
import type { Metrics } from "../../kernel/metrics.ts";
import type { MetricsStore } from "./metrics-store.ts";
import { storeMetrics } from "./self-metrics.ts";
import { threadSettings } from "./settings.ts";
import { createThreadKeeper, type ThreadState } from "./thread/keeper.ts";

export interface MetricsRoomDependencies {
  dataDirectory: string;
  config: MetricsConfig;
  clock: Clock;
  log: Log;
  /** Where secrets of receivers may be. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Of this process: what the room costs and refuses is counted there. */
  metrics: Metrics;
}

/** The metrics store of the platform. */
export interface MetricsRoom extends LongRunning {
  store: MetricsStore;
  state(): ThreadState;
  /** What is wrong with it, in words; null: nothing. */
  problem(): string | null;
  /** Receivers of remote-write that samples do not reach. */
  remoteWriteProblems(): readonly RemoteWriteProblem[];
}

/** As the room of problems takes it. */
export interface RemoteWriteProblem {
  kind: "remote-write-failing";
  subject: string;
  summary: string;
}

/** Builds the room; its store answers from `start` on, and fails as unavailable until then. */
export function createMetricsRoom(dependencies: MetricsRoomDependencies): MetricsRoom {
  const { dataDirectory, config, clock, log, env = {}, metrics } = dependencies;
  const settings = threadSettings(config, { directory: path.join(dataDirectory, "metrics"), env });
  const keeper = createThreadKeeper({ settings, heapBytes: config.heap, clock, log });
  metrics.registerCollector("metrics", () => storeMetrics(keeper));
  return {
    name: "metrics",
    store: keeper.store,
    state: keeper.state,
    problem: keeper.problem,
    remoteWriteProblems: () =>
      [...keeper.sendingTroubles()].map(([subject, trouble]) => ({
        ...{ kind: "remote-write-failing", subject },
        summary: `Samples do not all reach ${subject}: ${trouble}`,
      })),
    start: keeper.start,
    stop: keeper.stop,
  };
}
