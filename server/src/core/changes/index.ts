export { addChangesRoutes } from "./routes.ts";
export type { ChangeRequest, Changes } from "./changes.ts";
export type {
  ArmTally,
  Block,
  ChangeKind,
  Check,
  ChangeView,
  Driver,
  Finding,
  GateKeeper,
  Hooks,
  JudgeSettings,
  Limits,
  Metric,
  Observation,
  Occasion,
  Preparation,
  PreparedRequest,
  ProbePlan,
  Signal,
  Step,
} from "./ports.ts";
export type { ChangeRow, TimelineRow } from "./store.ts";
export { findingOf } from "./domain/findings.ts";
export { createChangesRoom } from "./room.ts";
