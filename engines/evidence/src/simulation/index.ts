/** Worlds in which the truth is known: what the judge does in them, second by second. */
export { createRandom, type Random } from "./random.ts";
export {
  createJudgeOverseer,
  HELD_AFTER_MS,
  rollOut,
  type JudgedBy,
  type Outcome,
  type Overseer,
  type RolloutOptions,
  type Stage,
} from "./rollout.ts";
export { HEALTHY, type Regression, type Second } from "./traffic.ts";
export { steadyWorld, WORLDS, type World } from "./worlds.ts";
