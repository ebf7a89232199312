import type { AgentClient } from "@mainstay/agent";
import type { Counters } from "@mainstay/api";
import { createSlownessBound, SLOWNESS, type LatencyMetric, type SlownessBound } from "@mainstay/evidence";
import type { ArmTally, Block, Metric, Signal } from "../../core/changes/index.ts";
import type { LongRunning } from "../../kernel/actors.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Log } from "../../kernel/log.ts";
import { deltasBetween, keyOf, type ArmDelta, type Delta } from "./counter-deltas.ts";

const SAMPLE_MS = 1000;
/** The judge asks every second; more is kept only for one that was held up. */
const KEPT_SECONDS = 60;

interface Second extends Delta {
  /**
   * Index of the latency bucket above which a request is
   * slow; null while too little is known of the stable arm.
   */
  slowAbove: Record<LatencyMetric, number | null>;
}

interface ServiceMemory {
  seconds: Second[];
  slowness: Record<LatencyMetric, SlownessBound>;
}

/** Reads the agent's counters each second and keeps the last minute: the judge's signal for releases. */
export interface TrafficSampler extends LongRunning, Signal {
  /** The latest reading, for /metrics. */
  latest(): Counters | null;
}

export interface SamplerDependencies {
  agent: Pick<AgentClient, "counters">;
  clock: Clock;
  log: Log;
}

export function createTrafficSampler({ agent, clock, log }: SamplerDependencies): TrafficSampler {
  const memories = new Map<string, ServiceMemory>();
  const listeners = new Set<() => void>();
  let previous: Counters | null = null;
  let stopTimer = () => {};

  async function sample(): Promise<void> {
    try {
      const reading = await agent.counters();
      if (previous) remember(previous, reading);
      previous = reading;
      for (const listener of listeners) listener();
    } catch (error) {
      log.debug({ error }, "the agent's counters could not be read");
    }
  }

  function remember(before: Counters, after: Counters): void {
    for (const [key, delta] of deltasBetween(before, after)) {
      const memory = memoryOf(key, after.latencyBoundsMs);
      const { latency, "typical-latency": typical } = memory.slowness;
      const slowAbove = { latency: latency.bound(), "typical-latency": typical.bound() };
      const histogram = sumGroups(delta.stable.latency);
      for (const each of [latency, typical]) each.observe(histogram, delta.atMs);
      memory.seconds.push({ ...delta, slowAbove });
      if (memory.seconds.length > KEPT_SECONDS) memory.seconds.shift();
    }
  }

  function memoryOf(key: string, boundsMs: number[]): ServiceMemory {
    const known = memories.get(key);
    if (known) return known;
    const bound = (metric: LatencyMetric) => createSlownessBound({ boundsMs, ...SLOWNESS[metric] });
    const slowness = { latency: bound("latency"), "typical-latency": bound("typical-latency") };
    const fresh: ServiceMemory = { seconds: [], slowness };
    memories.set(key, fresh);
    return fresh;
  }

  return {
    name: "traffic-sampler",
    latest: () => previous,
    onNews(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async counts({ change, metric, sinceMs }) {
      const seconds = memories.get(keyOf(change))?.seconds ?? [];
      const boundsMs = previous?.latencyBoundsMs ?? [];
      return seconds
        .filter((second) => second.atMs > sinceMs && second.change === change.id)
        .flatMap((second) => toBlock(second, metric, boundsMs));
    },
    async start() {
      await sample();
      stopTimer = clock.every(SAMPLE_MS, sample);
    },
    async stop() {
      stopTimer();
    },
  };
}

function toBlock(second: Second, metric: Metric, boundsMs: number[]): Block[] {
  const { fromMs, atMs, stable, candidate } = second;
  if (metric.name === "errors")
    return [{ fromMs, atMs, stable: failed(stable), candidate: failed(candidate) }];
  // Counted by whoever sends them, or knows them.
  if (metric.name === "probes" || metric.name === "counts") return [];
  const bound =
    metric.name === "slower-than" ? bucketOf(metric.thresholdMs, boundsMs) : second.slowAbove[metric.name];
  if (bound === null) return [];
  return [{ fromMs, atMs, stable: slow(stable, bound), candidate: slow(candidate, bound) }];
}

function failed(arm: ArmDelta): ArmTally {
  return { total: arm.total, bad: arm.errors };
}

function slow(arm: ArmDelta, bound: number): ArmTally {
  return {
    total: arm.latency.map((buckets) => add(buckets)),
    bad: arm.latency.map((buckets) => add(buckets.slice(bound + 1))),
  };
}

/** The bucket whose upper bound is the threshold, rounded up. */
function bucketOf(thresholdMs: number, boundsMs: number[]): number {
  const index = boundsMs.findIndex((bound) => bound >= thresholdMs);
  return index === -1 ? boundsMs.length : index;
}

function sumGroups(latency: number[][]): number[] {
  const [first = [], ...rest] = latency;
  return first.map((value, bucket) => rest.reduce((total, group) => total + (group[bucket] ?? 0), value));
}

function add(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
