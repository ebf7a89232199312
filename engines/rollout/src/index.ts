export { decide, initialState, restartStage } from "./decide.ts";
export type {
  Command,
  Decision,
  Facts,
  RolloutPlan,
  RolloutState,
  RolloutStateName,
  Stage,
} from "./types.ts";
export { provenOf, weightOf } from "./weights.ts";
