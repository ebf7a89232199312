import {
  createJudgeOverseer,
  rollOut,
  WORLDS,
  type Outcome,
  type Overseer,
  type Regression,
  type Stage,
} from "@mainstay/evidence/simulation";
import { createFisherOverseer, createMannWhitneyOverseer, createThresholdOverseer } from "./peers.ts";

/** Who decides in a simulated rollout. */
export const OVERSEERS = {
  judge: () => createJudgeOverseer(),
  threshold: createThresholdOverseer,
  fisher: createFisherOverseer,
  "mann-whitney": createMannWhitneyOverseer,
} satisfies Record<string, () => Overseer>;

/** Many runs of one situation; plain data, so that it can be handed to a worker. */
export interface Task {
  world: string;
  overseer: keyof typeof OVERSEERS;
  ratePerSecond: number;
  regression: Regression;
  stages: Stage[];
  policy: "hold" | "advance";
  runs: number;
  seed: number;
}

export interface TaskResult {
  ends: Record<Outcome["end"], number>;
  /** Seconds from the first request of the candidate to the undo, of the runs that were undone. */
  undoneAfterSeconds: number[];
}

/** The same task gives the same result on every machine. */
export function simulate(task: Task): TaskResult {
  const world = WORLDS.find((each) => each.name === task.world);
  if (!world) throw new Error(`there is no world named ${task.world}`);
  const result: TaskResult = { ends: { undone: 0, promoted: 0, held: 0 }, undoneAfterSeconds: [] };
  const { ratePerSecond, regression, stages, policy } = task;
  for (let run = 0; run < task.runs; run += 1) {
    const overseer = OVERSEERS[task.overseer]();
    const outcome = rollOut(
      { world, ratePerSecond, regression, stages, policy },
      overseer,
      task.seed + run * 7919,
    );
    result.ends[outcome.end] += 1;
    if (outcome.end === "undone") result.undoneAfterSeconds.push(outcome.atMs / 1000);
  }
  return result;
}

/** Results of parts of the same task, together. */
export function join(parts: TaskResult[]): TaskResult {
  const sum = (end: Outcome["end"]) => parts.reduce((total, part) => total + part.ends[end], 0);
  return {
    ends: { undone: sum("undone"), promoted: sum("promoted"), held: sum("held") },
    undoneAfterSeconds: parts.flatMap((part) => part.undoneAfterSeconds),
  };
}
