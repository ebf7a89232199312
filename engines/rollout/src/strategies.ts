import type { RolloutPlan, Stage } from "./types.ts";

const FULL = 10_000;

/** How many instances a release has of the process that gets the traffic. */
export interface InstanceCounts {
  candidate: number;
  stable: number;
}

export interface RollingSettings {
  /** So many instances more than wanted may run at a time. */
  maxSurge: number;
  /** So many fewer than wanted may serve at a time. */
  maxUnavailable: number;
  bakeMs: number;
}

/** How a candidate takes over, in the words of the service file. */
export type Strategy =
  | { name: "canary"; stages: Stage[] }
  | { name: "rolling"; counts: InstanceCounts; settings: RollingSettings }
  | { name: "blue-green" }
  | { name: "immediate" };

export interface StrategyPlan extends Pick<RolloutPlan, "stages" | "keepWarmMs"> {
  verify: "before-traffic" | "after-traffic" | null;
  /** Whether a stage has both arms in traffic, so that they can be compared. */
  isCompared: boolean;
}

export interface StrategyQuestion {
  strategy: Strategy;
  hasStable: boolean;
  isVerified: boolean;
  keepWarmMs: number;
}

/** A strategy as data: the stages it passes, when the candidate is verified, how long the old one is kept. */
export function planStrategy({
  strategy,
  hasStable,
  isVerified,
  keepWarmMs,
}: StrategyQuestion): StrategyPlan {
  const verify = isVerified ? "after-traffic" : null;
  const atOnce = { stages: [{ weight: FULL, bakeMs: 0 }], keepWarmMs, isCompared: false };
  if (!hasStable) return { ...atOnce, verify };
  switch (strategy.name) {
    case "immediate":
      return { ...atOnce, verify };
    case "blue-green":
      return { ...atOnce, verify: isVerified ? "before-traffic" : null };
    case "canary":
      return { stages: strategy.stages, keepWarmMs, verify, isCompared: strategy.stages.length > 1 };
    case "rolling": {
      const stages = rollingStages(strategy.counts, strategy.settings);
      // Its instances were replaced: nothing of the old release is left that could be kept warm.
      return { stages, keepWarmMs: 0, verify, isCompared: stages.length > 1 };
    }
  }
}

/**
 * Batches of maxSurge + maxUnavailable instances. In each, the stable release first makes room for the batch,
 * the batch is started and gated, takes its share of the traffic, and the stable release shrinks to the rest.
 * The share is the candidate's part of its own full size, so that every instance carries about as much.
 */
function rollingStages(counts: InstanceCounts, settings: RollingSettings): Stage[] {
  const { maxSurge, maxUnavailable, bakeMs } = settings;
  const batch = maxSurge + maxUnavailable;
  if (batch < 1) throw new Error("a rolling change needs maxSurge or maxUnavailable of at least 1");
  const stages: Stage[] = [];
  let before = counts.stable;
  for (
    let candidate = Math.min(batch, counts.candidate);
    ;
    candidate = Math.min(candidate + batch, counts.candidate)
  ) {
    const left = counts.candidate - candidate;
    const stable = Math.ceil((counts.stable * left) / counts.candidate);
    const room = Math.min(before, stable + maxSurge);
    const isLast = left === 0;
    const weight = Math.round((FULL * candidate) / counts.candidate);
    stages.push({ weight, bakeMs: isLast ? 0 : bakeMs, instances: { candidate, room, stable, all: counts } });
    if (isLast) return stages;
    before = stable;
  }
}
