import type { ValueType } from "./ast.ts";

export interface Signature {
  readonly args: readonly ValueType[];
  readonly returns: "scalar" | "vector";
  /**
   * How often the last argument may repeat beyond the first,
   * or -1 without limit; 0 when it must be there once.
   */
  readonly variadic: number;
  readonly isExperimental: boolean;
}

const V: ValueType = "vector";
const M: ValueType = "matrix";
const S: ValueType = "scalar";
const T: ValueType = "string";

function signature(args: readonly ValueType[], more: Partial<Signature> = {}): Signature {
  return { args, returns: "vector", variadic: 0, isExperimental: false, ...more };
}

const experimental = { isExperimental: true };
const scalar = { returns: "scalar" } as const;

const OF_VECTOR =
  "abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor histogram_avg histogram_count " +
  "histogram_sum histogram_stddev histogram_stdvar ln log10 log2 rad sgn sin sinh sort sort_desc sqrt tan tanh timestamp";
const OF_RANGE =
  "absent_over_time avg_over_time changes count_over_time delta deriv first_over_time idelta increase irate " +
  "last_over_time max_over_time min_over_time present_over_time rate resets stddev_over_time stdvar_over_time sum_over_time";
const OF_RANGE_EXPERIMENTAL =
  "mad_over_time ts_of_first_over_time ts_of_last_over_time ts_of_max_over_time ts_of_min_over_time";
const OF_TIME = "day_of_month day_of_week day_of_year days_in_month hour minute month year";

function each(names: string, value: Signature): [string, Signature][] {
  return names.split(" ").map((name) => [name, value]);
}

/** The functions of PromQL 3.x, with the types that they take. */
export const SIGNATURES: ReadonlyMap<string, Signature> = new Map([
  ...each(OF_VECTOR, signature([V])),
  ...each(OF_RANGE, signature([M])),
  ...each(OF_RANGE_EXPERIMENTAL, signature([M], experimental)),
  ...each(OF_TIME, signature([V], { variadic: 1 })),
  ...each("start end step range", signature([], { ...scalar, ...experimental })),
  ...each("min_of max_of", signature([S, S], { ...scalar, ...experimental })),
  ...each("pi time", signature([], scalar)),
  ...each("sort_by_label sort_by_label_desc", signature([V, T], { ...experimental, variadic: -1 })),
  ["clamp", signature([V, S, S])],
  ["clamp_max", signature([V, S])],
  ["clamp_min", signature([V, S])],
  ["double_exponential_smoothing", signature([M, S, S], experimental)],
  ["histogram_fraction", signature([S, S, V])],
  ["histogram_quantile", signature([S, V])],
  ["histogram_quantiles", signature([V, T, S, S], { ...experimental, variadic: 9 })],
  ["info", signature([V, V], { ...experimental, variadic: 1 })],
  ["label_join", signature([V, T, T, T], { variadic: -1 })],
  ["label_replace", signature([V, T, T, T, T])],
  ["predict_linear", signature([M, S])],
  ["quantile_over_time", signature([S, M])],
  ["round", signature([V, S], { variadic: 1 })],
  ["scalar", signature([V], scalar)],
  ["start_timestamp", signature([V], experimental)],
  ["vector", signature([S])],
]);
