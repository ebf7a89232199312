import { createLabels, labelValue, METRIC_NAME, type Labels } from "../../labels.ts";
import type { Matcher } from "../../storage.ts";
import type { Evaluation } from "./evaluation.ts";
import { warnQuantile } from "./histogram-functions.ts";
import type { CallPlan, Plan, SubqueryPlan } from "./plan.ts";
import { QueryError } from "./query-error.ts";
import { fromColumn, fromStorage, type RangeSeries } from "./range-series.ts";
import { createSlider, type RangePlan } from "./slide.ts";
import {
  ABSENT,
  type Column,
  type ColumnMaker,
  createColumn,
  FLOAT,
  type Grid,
  hasSamples,
  lookAt,
  ownColumns,
} from "./values.ts";

/** A call, and its argument that is a range. */
export interface RangeCall {
  readonly call: CallPlan;
  readonly range: RangePlan;
}

export function findRange(args: readonly Plan[]): RangePlan | undefined {
  return args.find((arg) => arg.kind === "matrix" || arg.kind === "subquery");
}

/** Slides a function over the ranges of every series. */
export function callRange(evaluation: Evaluation, { call, range }: RangeCall, grid: Grid): Column[] {
  const columns = rangeColumns(evaluation, { call, range, makeColumn: ownColumns(grid.count) }, grid);
  return call.name === "absent_over_time" ? absentOverTime(range, columns, grid) : [...columns];
}

/** What it makes of each series, one column after the other. */
export function* rangeColumns(
  evaluation: Evaluation,
  { call, range, makeColumn }: RangeCall & { makeColumn: ColumnMaker },
  grid: Grid,
): Generator<Column> {
  checkExtension(call.name, range);
  const parameters = call.args.filter((arg) => arg !== range).map((arg) => scalars(evaluation, arg, grid));
  const slide = createSlider(evaluation, { call, range, parameters }, grid);
  const keepsName = call.name === "last_over_time" || call.name === "first_over_time";
  const tellNonCounter =
    call.name === "rate" || call.name === "increase" ? nonCounters(evaluation, range) : null;
  let isFirst = true;
  for (const series of rangesOf(evaluation, range, grid)) {
    const column = makeColumn(series.labels, !keepsName || series.dropsName);
    slide(column, series);
    if (!hasSamples(column)) continue;
    if (isFirst && call.name === "quantile_over_time") tellQuantiles(evaluation, call, parameters[0]);
    isFirst = false;
    tellNonCounter?.(column);
    yield column;
  }
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

/** Of the steps of a subquery: the column they are evaluated into, and the samples they become. */
const BYTES_OF_STEP = 32;

/** The samples behind a range: of a selector, or of the steps of a subquery. Each holds until the next. */
export function* rangesOf(evaluation: Evaluation, range: RangePlan, grid: Grid): Generator<RangeSeries> {
  if (range.kind === "matrix") {
    for (const series of evaluation.seriesOf(range.selector)) yield fromStorage(series);
    return;
  }
  const inner = subqueryGrid(range, grid);
  if (inner.count <= 0) return;
  evaluation.budget.addSamples(inner.count);
  // Before any is made: one expression over many steps is as large as many over few.
  evaluation.budget.addBytes(inner.count * BYTES_OF_STEP);
  for (const column of evaluation.inTurn(range.expr, inner))
    yield fromColumn(column, inner, evaluation.budget);
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

const COUNTER_NAME = /_(?:total|sum|count|bucket)$/;

/** Tells the names of what a rate is taken of and what is no counter by its name or type. */
function nonCounters({ annotations }: Evaluation, { position }: RangePlan): (column: Column) => void {
  let toldName = "";
  return ({ labels, histograms }) => {
    const name = labelValue(labels, METRIC_NAME);
    if (name === toldName || histograms !== null || COUNTER_NAME.test(name)) return;
    const type = labelValue(labels, "__type__");
    if (type === "counter" || type === "histogram") return;
    toldName = name;
    const message = "metric might not be a counter, name does not end in _total/_sum/_count/_bucket:";
    annotations.inform(`${message} ${JSON.stringify(name)}`, position);
  };
}

function absentOverTime(range: RangePlan, columns: Iterable<Column>, grid: Grid): Column[] {
  const matchers = range.kind === "matrix" ? range.selector.matchers : [];
  return [absent(columns, { labels: labelsOfAbsent(matchers), grid })].filter(hasSamples);
}

/** 1 at each step at which there is nothing. */
export function absent(columns: Iterable<Column>, { labels, grid }: { labels: Labels; grid: Grid }): Column {
  const result = createColumn(labels, grid.count, true);
  result.present.fill(FLOAT);
  result.values.fill(1);
  for (const { present } of columns) {
    for (let step = 0; step < grid.count; step++) {
      if (present[step] !== ABSENT) result.present[step] = ABSENT;
    }
  }
  return result;
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
