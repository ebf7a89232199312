export { decide, initialState, isPassed, restartStage } from "./decide.ts";
export type { GateAnswer, GateQuestion, GateResult, GateValue, PlannedGate } from "./gate.ts";
export { gatesIn, weighGate } from "./gates.ts";
export {
  planStrategy,
  type InstanceCounts,
  type RollingSettings,
  type Strategy,
  type StrategyPlan,
  type StrategyQuestion,
} from "./strategies.ts";
export type {
  Command,
  Decision,
  Facts,
  Moment,
  PlannedHook,
  Rehearsal,
  RolloutPlan,
  RolloutState,
  RolloutStateName,
  Stage,
} from "./types.ts";
export { actualName, isInTraffic, provenOf, weightOf } from "./weights.ts";
