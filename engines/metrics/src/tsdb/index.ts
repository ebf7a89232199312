export { createSampleBatch } from "./batch.ts";
export type {
  Append,
  AppendResult,
  Exemplar,
  ExemplarSample,
  HistogramSample,
  Metadata,
  Refused,
  RefusalReason,
  SampleBatch,
} from "./batch.ts";
export type { Resolution } from "./append.ts";
export type { BlockMeta } from "./block/block-meta.ts";
export type { QuarantinedBlock } from "./block/block-set.ts";
export type { BudgetReason, Refusal, RefusalCount } from "./cardinality/budget.ts";
export type { CardinalityReport, NamedCount } from "./cardinality/report.ts";
export type { PastSeries } from "./maintenance/backfill.ts";
export type { Disk } from "./disk.ts";
export type { Cursor, ReadingPlace } from "./follow/cursor.ts";
export type { FollowedFrame } from "./follow/followed-frame.ts";
export type { LogFollower } from "./follow/follower.ts";
export type { ListOptions } from "./list-labels.ts";
export {
  DEFAULT_LIMITS,
  type CardinalityBudget,
  type RetentionRule,
  type StoreLimits,
  type StoreSettings,
  type TierSettings,
} from "./settings.ts";
export type { StoreStatus } from "./status.ts";
export type { LogPosition } from "./wal/log-files.ts";
export { openMetricsStore, type MetricsStore } from "./store.ts";
export { StoreError, type StoreFault } from "./store-error.ts";
