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
export type { QueryLimits } from "./promql/evaluation/budget.ts";
export { QueryError, type QueryFault } from "./promql/evaluation/query-error.ts";
export { MAX_STEPS, queryInstant, queryRange, type QuerySettings, type Range } from "./promql/query.ts";
export type { MatrixSeries, QueryResult, ResultValue, VectorSample } from "./promql/query-result.ts";
export type { Expr } from "./promql/syntax/ast.ts";
export { format as formatQuery } from "./promql/syntax/format.ts";
export { type Json, toJson as queryToJson } from "./promql/syntax/to-json.ts";
export { pretty as prettifyQuery } from "./promql/syntax/pretty.ts";
export { parse as parseQuery } from "./promql/syntax/parse.ts";
export { ParseError } from "./promql/syntax/parse-error.ts";
