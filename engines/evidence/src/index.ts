export type { Evidence, MetricEvidence, Verdict } from "./evidence.ts";
export { createJudge, replay, resumeJudge, type HistoryEntry, type Judge } from "./judge.ts";
export { judgeLimit, type LimitFinding, type LimitQuestion } from "./limit.ts";
export { COMPARISONS, DEFAULT_RULES, type JudgeOptions, type MetricRules } from "./rules.ts";
export { GROUPS, type ArmTally, type Sample } from "./sample.ts";
export {
  createSlownessBound,
  SLOWNESS,
  type LatencyMetric,
  type SlownessBound,
  type SlownessOptions,
} from "./slowness-bound.ts";
