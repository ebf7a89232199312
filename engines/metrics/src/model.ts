export {
  CUSTOM_BUCKETS_SCHEMA,
  NO_BUCKETS,
  type Buckets,
  type Histogram,
  type ResetHint,
} from "./histogram.ts";
export {
  compareLabels,
  createLabels,
  labelValue,
  METRIC_NAME,
  NO_LABELS,
  sortedLabels,
  type Labels,
} from "./labels.ts";
export { isStaleAt, setStaleAt } from "./stale.ts";
export type {
  FloatColumn,
  HistogramColumn,
  Matcher,
  MatcherOperator,
  Queryable,
  QueryBudget,
  SelectHints,
  SelectOptions,
  Series,
} from "./storage.ts";
export { parseDurationMs } from "./promql/syntax/literals.ts";
