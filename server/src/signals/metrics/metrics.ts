import path from "node:path";
import type { LongRunning } from "../../kernel/actors.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Log } from "../../kernel/log.ts";
import type { Metrics } from "../../kernel/metrics.ts";
import type { MetricsStore } from "./metrics-store.ts";
import { createThreadKeeper, type ThreadState } from "./thread/keeper.ts";

export interface MetricsRoomDependencies {
  dataDirectory: string;
  clock: Clock;
  log: Log;
  /** Of this process: what the room costs and refuses is counted there. */
  metrics: Metrics;
  /** The most JavaScript heap of the thread: beyond it the thread ends, and is started again. */
  heapBytes?: number;
}

/** The metrics store of the platform. */
export interface MetricsRoom extends LongRunning {
  store: MetricsStore;
  state(): ThreadState;
}

const MIB = 2 ** 20;

/** Builds the room; its store answers from `start` on, and fails as unavailable until then. */
export function createMetricsRoom(dependencies: MetricsRoomDependencies): MetricsRoom {
  const { dataDirectory, clock, log, heapBytes = 512 * MIB } = dependencies;
  const settings = {
    directory: path.join(dataDirectory, "metrics"),
    store: {},
    query: { samples: 50_000_000, bytes: 256 * MIB, timeoutMs: 25_000 },
    bodyBytes: 32 * MIB,
  };
  const keeper = createThreadKeeper({ settings, heapBytes, clock, log });
  return {
    name: "metrics",
    store: keeper.store,
    state: keeper.state,
    start: keeper.start,
    stop: keeper.stop,
  };
}
