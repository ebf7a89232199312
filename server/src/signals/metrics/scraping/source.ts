import type { Pool } from "./pool.ts";
import type { TargetSpec, TextFormat } from "./scrape-sink.ts";
import { startTargetLoop, type LoopDependencies } from "./target-loop.ts";

/** What Mainstay tells of itself: scraped like any target, without a request over the network. */
export interface Source {
  /** The label `job` of its series. */
  job: string;
  read(signal: AbortSignal): Promise<{ text: string; format: TextFormat }>;
}

const NO_LIMITS = { labels: 0, nameLength: 0, valueLength: 0 };

export function startSource({ job, read }: Source, intervalMs: number, dependencies: LoopDependencies): Pool {
  const labels = { job };
  const spec: TargetSpec = {
    ...{
      origin: "platform",
      labels,
      honorLabels: true,
      honorTimestamps: true,
      relabelRules: [],
      sampleLimit: 0,
      limits: NO_LIMITS,
    },
  };
  const url = `mainstay:${job}`;
  const loop = startTargetLoop({ id: url, job, intervalMs, spec, ask: read }, dependencies);
  return {
    view: () => ({
      name: job,
      active: [
        { pool: job, url, discovered: labels, labels, intervalMs, timeoutMs: intervalMs, ...loop.health() },
      ],
      dropped: [],
      droppedCount: 0,
    }),
    problems: () => [],
    stop: loop.stop,
  };
}
