export { addChangesRoutes } from "./routes.ts";
export type { ChangeRequest, Changes } from "./changes.ts";
export type {
  ArmTally,
  Block,
  ChangeKind,
  ChangeView,
  Driver,
  Finding,
  JudgeSettings,
  Limits,
  Metric,
  Observation,
  Preparation,
  PreparedRequest,
  Signal,
  Step,
} from "./ports.ts";
export type { ChangeRow, TimelineRow } from "./store.ts";
export { createChangesRoom } from "./room.ts";
