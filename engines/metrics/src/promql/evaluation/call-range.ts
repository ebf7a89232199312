import { createLabels, labelValue, METRIC_NAME, type Labels } from "../../labels.ts";
import type { Matcher } from "../../storage.ts";
import type { Evaluation } from "./evaluation.ts";
import { warnQuantile } from "./histogram-functions.ts";
import type { CallPlan, MatrixPlan, Plan, SubqueryPlan } from "./plan.ts";
import { QueryError } from "./query-error.ts";
import { RANGE_FUNCTIONS } from "./range-functions.ts";
import { firstAfter, fromColumn, fromStorage, type RangeSeries } from "./range-series.ts";
import { lookAt } from "./select.ts";
import {
  ABSENT,
  type Column,
  createColumn,
  type Grid,
  hasSamples,
  setFloat,
  setHistogram,
  timeAt,
} from "./values.ts";
import type { RangeFunction, Window } from "./window.ts";

type RangePlan = MatrixPlan | SubqueryPlan;

/** The argument that is a range, and the scalars around it. */
export interface RangeCall {
  readonly call: CallPlan;
  readonly range: RangePlan;
}

export function findRange(args: readonly Plan[]): RangePlan | undefined {
  return args.find((arg) => arg.kind === "matrix" || arg.kind === "subquery");
}

/** Slides a function over the ranges of every series. */
export function callRange(evaluation: Evaluation, { call, range }: RangeCall, grid: Grid): Column[] {
  const apply = RANGE_FUNCTIONS.get(call.name);
  if (apply === undefined) throw new QueryError(`unknown function over a range "${call.name}"`);
  checkExtension(call.name, range);
  const parameters = call.args.filter((arg) => arg !== range).map((arg) => scalars(evaluation, arg, grid));
  const series = rangesOf(evaluation, range, grid);
  const columns: Column[] = [];
  for (const each of series) {
    const column = slide(evaluation, { apply, call, range, series: each, parameters }, grid);
    if (hasSamples(column)) columns.push(column);
  }
  if (call.name === "quantile_over_time" && columns.length > 0)
    tellQuantiles(evaluation, call, parameters[0]);
  if (call.name === "rate" || call.name === "increase") tellNonCounters(evaluation, range, columns);
  return call.name === "absent_over_time" ? absentOverTime(range, columns, grid) : columns;
}

function tellQuantiles(evaluation: Evaluation, { args, position }: CallPlan, quantiles?: Float64Array): void {
  for (const q of quantiles ?? []) warnQuantile(evaluation, q, args[0]?.position ?? position);
}

function scalars(evaluation: Evaluation, plan: Plan, grid: Grid): Float64Array {
  const value = evaluation.evaluate(plan, grid);
  if (value.type !== "scalar") throw new QueryError("a parameter of a function is no scalar");
  return value.values;
}

const ANCHORED = ["changes", "delta", "increase", "rate", "resets"];
const SMOOTHED = ["delta", "increase", "rate"];

function checkExtension(name: string, range: RangePlan): void {
  const extension = range.kind === "matrix" ? range.selector.extension : null;
  if (extension === null) return;
  const allowed = extension === "anchored" ? ANCHORED : SMOOTHED;
  if (allowed.includes(name)) return;
  throw new QueryError(
    `${extension} modifier can only be used with: ${allowed.join(", ")} - not with ${name}`,
  );
}

/** The samples behind a range: of a selector, or of the steps of a subquery. */
export function rangesOf(evaluation: Evaluation, range: RangePlan, grid: Grid): RangeSeries[] {
  if (range.kind === "matrix") return evaluation.seriesOf(range.selector).map(fromStorage);
  const inner = subqueryGrid(range, grid);
  if (inner.count <= 0) return [];
  evaluation.budget.addSamples(inner.count);
  const value = evaluation.evaluate(range.expr, inner);
  return value.type === "vector" ? value.columns.map((column) => fromColumn(column, inner)) : [];
}

/**
 * Steps of a subquery are multiples of its step, whenever
 * the query runs: after the first range begins, to the last.
 */
function subqueryGrid(range: SubqueryPlan, grid: Grid): Grid {
  const { rangeMs, stepMs } = range;
  const firstMs = lookAt(range, grid, 0) - rangeMs;
  const lastMs = lookAt(range, grid, grid.count - 1);
  const startMs = Math.floor(firstMs / stepMs) * stepMs + stepMs;
  return { startMs, stepMs, count: Math.floor((lastMs - startMs) / stepMs) + 1 };
}

interface Sliding {
  apply: RangeFunction;
  call: CallPlan;
  range: RangePlan;
  series: RangeSeries;
  parameters: readonly Float64Array[];
}

/** How far beyond its ends a range reads samples. */
function reachOf({ range, lookbackMs }: { range: RangePlan; lookbackMs: number }): {
  before: number;
  behind: number;
} {
  const extension = range.kind === "matrix" ? range.selector.extension : null;
  return { before: extension === null ? 0 : lookbackMs, behind: extension === "smoothed" ? lookbackMs : 0 };
}

function slide(evaluation: Evaluation, sliding: Sliding, grid: Grid): Column {
  const { apply, call, range, series, parameters } = sliding;
  const keepsName = call.name === "last_over_time" || call.name === "first_over_time";
  const column = createColumn(series.labels, grid.count, !keepsName || series.dropsName);
  const window = createWindow(evaluation, sliding);
  const look = range.kind === "matrix" ? range.selector : range;
  const reach = reachOf({ range, lookbackMs: evaluation.lookbackMs });
  for (let step = 0; step < grid.count; step++) {
    const endMs = lookAt(look, grid, step);
    window.timeMs = timeAt(grid, step);
    window.endMs = endMs;
    window.startMs = endMs - range.rangeMs;
    move(window, { fromMs: window.startMs - reach.before, toMs: endMs + reach.behind });
    const samples = window.to - window.from + window.histogramTo - window.histogramFrom;
    if (samples === 0) continue;
    evaluation.budget.addSamples(1 + (samples >> 3));
    for (const [index, values] of parameters.entries()) window.parameters[index] = values[step] ?? NaN;
    const result = apply(window);
    if (typeof result === "number") setFloat(column, step, result);
    else if (result !== undefined) setHistogram(column, step, result);
  }
  return column;
}

function createWindow({ annotations }: Evaluation, { range, series }: Sliding): Window {
  return {
    series,
    from: 0,
    to: 0,
    histogramFrom: 0,
    histogramTo: 0,
    timeMs: 0,
    startMs: 0,
    endMs: 0,
    rangeMs: range.rangeMs,
    parameters: [],
    extension: range.kind === "matrix" ? range.selector.extension : null,
    position: range.position,
    annotations,
    metricName: labelValue(series.labels, METRIC_NAME),
    resets: null,
  };
}

function move(window: Window, { fromMs, toMs }: { fromMs: number; toMs: number }): void {
  const { times, histogramTimes } = window.series;
  window.from = firstAfter(times, fromMs, window.from);
  window.to = firstAfter(times, toMs, Math.max(window.to, window.from));
  if (histogramTimes.length === 0) return;
  window.histogramFrom = firstAfter(histogramTimes, fromMs, window.histogramFrom);
  window.histogramTo = firstAfter(histogramTimes, toMs, Math.max(window.histogramTo, window.histogramFrom));
}

const COUNTER_NAME = /_(?:total|sum|count|bucket)$/;

function tellNonCounters(
  { annotations }: Evaluation,
  { position }: RangePlan,
  columns: readonly Column[],
): void {
  for (const { labels, histograms } of columns) {
    const name = labelValue(labels, METRIC_NAME);
    const type = labelValue(labels, "__type__");
    if (name === "" || histograms !== null || COUNTER_NAME.test(name)) continue;
    if (type === "counter" || type === "histogram") continue;
    const message = "metric might not be a counter, name does not end in _total/_sum/_count/_bucket:";
    annotations.inform(`${message} ${JSON.stringify(name)}`, position);
  }
}

function absentOverTime(range: RangePlan, columns: readonly Column[], grid: Grid): Column[] {
  const matchers = range.kind === "matrix" ? range.selector.matchers : [];
  return [absent(columns, { labels: labelsOfAbsent(matchers), grid })].filter(hasSamples);
}

/** 1 at each step at which there is nothing. */
export function absent(columns: readonly Column[], { labels, grid }: { labels: Labels; grid: Grid }): Column {
  const column = createColumn(labels, grid.count, true);
  for (let step = 0; step < grid.count; step++) {
    if (columns.every(({ present }) => present[step] === ABSENT)) setFloat(column, step, 1);
  }
  return column;
}

/** The labels that what is absent would surely have: those that a selector asks for once, and by equality. */
export function labelsOfAbsent(matchers: readonly Matcher[]): Labels {
  const asked = new Map<string, string>();
  const unclear = new Set<string>([METRIC_NAME]);
  for (const { name, operator, value } of matchers) {
    if (operator !== "=" || asked.has(name)) unclear.add(name);
    else asked.set(name, value);
  }
  return createLabels([...asked].filter(([name]) => !unclear.has(name)));
}
