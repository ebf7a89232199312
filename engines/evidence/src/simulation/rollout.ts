import type { Verdict } from "../evidence.ts";
import { createJudge } from "../judge.ts";
import { COMPARISONS } from "../rules.ts";
import { createRandom } from "./random.ts";
import { createTraffic, type Second, type TrafficOptions } from "./traffic.ts";

export interface Stage {
  weight: number;
  bakeMs: number;
}

export interface RolloutOptions extends Omit<TrafficOptions, "durationMs"> {
  stages: readonly Stage[];
  /** At the end of a bake without a verdict: wait for "no harm", or go on. */
  policy: "hold" | "advance";
}

export interface Outcome {
  end: "undone" | "promoted" | "held";
  /** Since the first stage began. */
  atMs: number;
  /** The stage it ended in, from 0. */
  stage: number;
  /** By how much each finished stage outlasted its bake time, waiting for a verdict. */
  holdsMs: number[];
}

/** Whoever decides about a rollout: our judge, or a peer's rule. */
export interface Overseer {
  startStage(atMs: number): void;
  /** Sees a second of traffic; says what it thinks now. */
  see(second: Second): Verdict;
}

/** A stage that waits longer than this for its verdict is left to a human. */
export const HELD_AFTER_MS = 24 * 3_600_000;
const SECOND_MS = 1_000;

/** What a release may say about its judge. */
export interface JudgedBy {
  metrics: readonly (keyof typeof COMPARISONS)[];
  alpha?: number;
  /** Of the latency. */
  warmupMs?: number;
}

const ALL: JudgedBy = { metrics: ["errors", "latency"] };

/** The judge as the platform sets it up. */
export function createJudgeOverseer({ metrics, alpha, warmupMs }: JudgedBy = ALL): Overseer {
  const names: readonly string[] = metrics.flatMap((each) => COMPARISONS[each]);
  const judge = createJudge({
    metrics: names,
    ...(alpha === undefined ? {} : { alpha }),
    ...(warmupMs === undefined ? {} : { warmupMs: { latency: warmupMs, "typical-latency": warmupMs } }),
  });
  return {
    startStage: (atMs) => judge.startStage(atMs),
    see({ requests, errors, latency, typicalLatency, hasBound }) {
      if (requests > 0) {
        const samples = hasBound ? [errors, latency, typicalLatency] : [errors];
        for (const sample of samples) if (names.includes(sample.metric)) judge.add(sample);
      }
      return judge.evaluate().verdict;
    },
  };
}

/** One release from its first stage to its end, looked at every second. */
export function rollOut(options: RolloutOptions, overseer: Overseer, seed: number): Outcome {
  const { stages, policy, world } = options;
  const durationMs = stages.reduce((sum, stage) => sum + stage.bakeMs, 0);
  const traffic = createTraffic({ ...options, durationMs }, createRandom(seed));
  const holdsMs: number[] = [];
  let restartMs = world.restartEveryMs ?? Infinity;
  let atMs = 0;
  for (const [stage, { weight, bakeMs }] of stages.entries()) {
    overseer.startStage(atMs);
    const endMs = atMs + bakeMs;
    let verdict: Verdict = "insufficient";
    while (atMs < endMs || (policy === "hold" && verdict !== "no-harm")) {
      if (atMs >= endMs + HELD_AFTER_MS) return { end: "held", atMs, stage, holdsMs };
      if (atMs >= restartMs) {
        overseer.startStage(atMs);
        restartMs += world.restartEveryMs ?? Infinity;
      }
      verdict = overseer.see(traffic(atMs, weight));
      atMs += SECOND_MS;
      if (verdict === "harm") return { end: "undone", atMs, stage, holdsMs };
    }
    holdsMs.push(atMs - endMs);
  }
  return { end: "promoted", atMs, stage: stages.length - 1, holdsMs };
}
