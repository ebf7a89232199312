import {
  createJudgeOverseer,
  HEALTHY,
  rollOut,
  steadyWorld,
  type JudgedBy,
  type Outcome,
  type Regression,
  type Stage,
} from "@mainstay/evidence/simulation";

/** What is asked of the judge: traffic, stages and settings. Plain data, so that a worker can be told. */
export interface Situation {
  ratePerSecond: number;
  errorShare: number;
  medianLatencyMs: number;
  stages: Stage[];
  judge: JudgedBy;
  policy: "hold" | "advance";
}

/** In the order of the table. */
export const SCENARIOS = [
  { name: "healthy", regression: HEALTHY },
  { name: "errors ×2", regression: { ...HEALTHY, errorFactor: 2 } },
  { name: "errors ×5", regression: { ...HEALTHY, errorFactor: 5 } },
  { name: "latency ×2", regression: { ...HEALTHY, latencyFactor: 2 } },
] as const satisfies { name: string; regression: Regression }[];
export type Scenario = (typeof SCENARIOS)[number];

/** One release in a situation, by the judge that the platform has. The same seed gives the same outcome. */
export function runOnce(situation: Situation, regression: Regression, seed: number): Outcome {
  const { ratePerSecond, stages, policy, judge } = situation;
  const world = steadyWorld(situation);
  return rollOut({ world, ratePerSecond, regression, stages, policy }, createJudgeOverseer(judge), seed);
}

/** What became of the runs of a scenario. */
export interface Summary {
  scenario: string;
  runs: number;
  /** Shares of the runs. */
  undone: number;
  promoted: number;
  held: number;
  /** Share of the runs that were undone by the end of each stage. */
  noticedBy: number[];
  /** Mean time that each stage outlasted its bake time, of the runs that finished it. */
  holdMs: (number | null)[];
  medianUndoMs: number | null;
}

/** Sums outcomes up. */
export function summarize(scenario: string, outcomes: readonly Outcome[], stages: number): Summary {
  const runs = outcomes.length;
  const shareOf = (is: (outcome: Outcome) => boolean) => outcomes.filter(is).length / Math.max(runs, 1);
  const eachStage = Array.from({ length: stages }, (_, stage) => stage);
  const undoneAt = outcomes.filter((each) => each.end === "undone").map((each) => each.atMs);
  return {
    scenario,
    runs,
    undone: shareOf((each) => each.end === "undone"),
    promoted: shareOf((each) => each.end === "promoted"),
    held: shareOf((each) => each.end === "held"),
    noticedBy: eachStage.map((stage) => shareOf((each) => each.end === "undone" && each.stage <= stage)),
    holdMs: eachStage.map((stage) => mean(outcomes.flatMap((each) => each.holdsMs[stage] ?? []))),
    medianUndoMs: undoneAt.toSorted((left, right) => left - right)[Math.floor(undoneAt.length / 2)] ?? null,
  };
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, each) => sum + each, 0) / values.length;
}
