import { createJudge, type Verdict } from "@mainstay/evidence";
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
}

/** Whoever decides about a rollout: our judge, or a peer's rule. */
export interface Overseer {
  startStage(atMs: number): void;
  /** Sees a second of traffic; says what it thinks now. */
  see(second: Second): Verdict;
}

/** A stage that waits longer than this for its verdict is left to a human. */
const HELD_AFTER_MS = 24 * 3_600_000;
const SECOND_MS = 1_000;

export function createJudgeOverseer(): Overseer {
  const judge = createJudge({ metrics: ["errors", "latency", "typical-latency"] });
  return {
    startStage: (atMs) => judge.startStage(atMs),
    see({ requests, errors, latency, typicalLatency, hasBound }) {
      if (requests > 0) judge.add(errors);
      if (requests > 0 && hasBound) judge.add(latency);
      if (requests > 0 && hasBound) judge.add(typicalLatency);
      return judge.evaluate().verdict;
    },
  };
}

/** One release from its first stage to its end, looked at every second. */
export function rollOut(options: RolloutOptions, overseer: Overseer, seed: number): Outcome {
  const { stages, policy, world } = options;
  const durationMs = stages.reduce((sum, stage) => sum + stage.bakeMs, 0);
  const traffic = createTraffic({ ...options, durationMs }, createRandom(seed));
  let restartMs = world.restartEveryMs ?? Infinity;
  let atMs = 0;
  for (const { weight, bakeMs } of stages) {
    overseer.startStage(atMs);
    const startMs = atMs;
    let verdict: Verdict = "insufficient";
    while (atMs < startMs + bakeMs || (policy === "hold" && verdict !== "no-harm")) {
      if (atMs >= startMs + bakeMs + HELD_AFTER_MS) return { end: "held", atMs };
      if (atMs >= restartMs) {
        overseer.startStage(atMs);
        restartMs += world.restartEveryMs ?? Infinity;
      }
      verdict = overseer.see(traffic(atMs, weight));
      atMs += SECOND_MS;
      if (verdict === "harm") return { end: "undone", atMs };
    }
  }
  return { end: "promoted", atMs };
}
