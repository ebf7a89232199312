export { createChanges } from "./changes.ts";
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
  Signal,
  Step,
} from "./ports.ts";
export { createChangeRunner } from "./runner.ts";
export type { ChangeRow, TimelineRow } from "./store.ts";
