import { compareLabels, NO_LABELS } from "../labels.ts";
import type { Queryable } from "../storage.ts";
import { createAnnotations } from "./evaluation/annotations.ts";
import { createBudget, type QueryLimits } from "./evaluation/budget.ts";
import { rangesOf } from "./evaluation/call-range.ts";
import { createEvaluation } from "./evaluation/evaluate.ts";
import type { Evaluation } from "./evaluation/evaluation.ts";
import { extendRange } from "./evaluation/extend-range.ts";
import { loadSeries } from "./evaluation/load-series.ts";
import { makePlan } from "./evaluation/make-plan.ts";
import { finishColumns } from "./evaluation/merge.ts";
import type { Plan } from "./evaluation/plan.ts";
import { QueryError } from "./evaluation/query-error.ts";
import { type Column, FLOAT, type Grid, HISTOGRAM, timeAt, type Value } from "./evaluation/values.ts";
import type { MatrixSeries, QueryResult, ResultValue, VectorSample } from "./query-result.ts";
import { typeOf } from "./syntax/check.ts";
import { parse } from "./syntax/parse.ts";
import { ParseError } from "./syntax/parse-error.ts";

export interface QuerySettings {
  readonly storage: Queryable;
  readonly limits: QueryLimits;
  /** How old the newest sample of a series may be; 5 minutes when not set. */
  readonly lookbackMs?: number;
  /** The step of subqueries that name none; 1 minute when not set. */
  readonly defaultStepMs?: number;
}

const DEFAULT_LOOKBACK_MS = 300_000;
const DEFAULT_STEP_MS = 60_000;

/** The most steps of one query; who draws more draws several per pixel. */
export const MAX_STEPS = 11_000;

/** Answers a query for one moment. */
export async function queryInstant(
  query: string,
  timeMs: number,
  settings: QuerySettings,
): Promise<QueryResult> {
  return run(query, { startMs: timeMs, endMs: timeMs, stepMs: 0 }, { ...settings, isRange: false });
}

export interface Range {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

/** Answers a query for every step from start to end. */
export async function queryRange(query: string, range: Range, settings: QuerySettings): Promise<QueryResult> {
  const { startMs, endMs, stepMs } = range;
  if (!(stepMs > 0)) throw new QueryError("zero or negative query resolution step widths are not accepted");
  if (endMs < startMs) throw new QueryError("end timestamp must not be before start time");
  if (Math.floor((endMs - startMs) / stepMs) > MAX_STEPS) {
    throw new QueryError(
      `exceeded maximum resolution of ${MAX_STEPS} points per timeseries: make the step larger or the range shorter`,
    );
  }
  return run(query, range, { ...settings, isRange: true });
}

async function run(
  query: string,
  range: Range,
  settings: QuerySettings & { isRange: boolean },
): Promise<QueryResult> {
  const {
    storage,
    limits,
    isRange,
    lookbackMs = DEFAULT_LOOKBACK_MS,
    defaultStepMs = DEFAULT_STEP_MS,
  } = settings;
  const expr = parse(query);
  const type = typeOf(expr);
  if (isRange && type !== "scalar" && type !== "vector") {
    const name = type === "matrix" ? "range vector" : type;
    const message = `invalid expression type "${name}" for range query, must be Scalar or instant Vector`;
    throw new ParseError(query, expr.position, message);
  }
  const plan = makePlan(expr, { ...range, defaultStepMs });
  const budget = createBudget(limits);
  const span = { fromMs: range.startMs, toMs: range.endMs };
  const loaded = await loadSeries(plan, span, { storage, budget, lookbackMs, stepMs: range.stepMs });
  const annotations = createAnnotations(query);
  const evaluation = createEvaluation({
    lookbackMs,
    annotations,
    budget,
    isRange,
    seriesOf: (selector) => loaded.get(selector) ?? [],
  });
  const grid: Grid = {
    startMs: range.startMs,
    stepMs: isRange ? range.stepMs : 1,
    count: isRange ? Math.floor((range.endMs - range.startMs) / range.stepMs) + 1 : 1,
  };
  const value = isRange ? matrixOf(evaluation.evaluate(plan, grid), grid) : instantOf(evaluation, plan, grid);
  return { value, ...annotations.texts() };
}

function instantOf(evaluation: Evaluation, plan: Plan, grid: Grid): ResultValue {
  const inner = plan.kind === "invariant" ? plan.expr : plan;
  if (inner.kind === "matrix" || inner.kind === "subquery") {
    const { lookbackMs, budget } = evaluation;
    const series = Array.from(rangesOf(evaluation, inner, grid), (each) =>
      extendRange(each, { range: inner, grid, lookbackMs, budget }),
    );
    const sorted = series.filter(hasAny).toSorted((a, b) => compareLabels(a.labels, b.labels));
    return { type: "matrix", series: sorted };
  }
  const timeMs = grid.startMs;
  const value = evaluation.evaluate(plan, grid);
  if (value.type === "string") return { type: "string", timeMs, value: value.value };
  if (value.type === "scalar") return { type: "scalar", timeMs, value: value.values[0] ?? NaN };
  return { type: "vector", timeMs, samples: finishColumns(value.columns).flatMap(sampleOf) };
}

function hasAny({ timestampsMs, histograms }: MatrixSeries): boolean {
  return timestampsMs.length > 0 || histograms.length > 0;
}

function sampleOf({ labels, present, values, histograms }: Column): VectorSample[] {
  if (present[0] === FLOAT) return [{ labels, value: values[0] ?? NaN }];
  const histogram = histograms?.[0];
  return present[0] === HISTOGRAM && histogram !== undefined ? [{ labels, value: histogram }] : [];
}

function matrixOf(value: Value, grid: Grid): ResultValue {
  if (value.type === "string") throw new QueryError("a string is no answer to a range query");
  if (value.type === "scalar") {
    const present = new Uint8Array(grid.count).fill(FLOAT);
    const column = { labels: NO_LABELS, dropsName: false, present, values: value.values, histograms: null };
    return { type: "matrix", series: [seriesOf(column, grid)] };
  }
  const columns = finishColumns(value.columns).toSorted((a, b) => compareLabels(a.labels, b.labels));
  const timesMs = Float64Array.from({ length: grid.count }, (_, step) => timeAt(grid, step));
  const series = columns.map((column) => filledSeries(column, timesMs) ?? seriesOf(column, grid));
  return { type: "matrix", series: series.filter(hasAny) };
}

/** What most series are: a float at every step, with the times that all of them share. Null for others. */
function filledSeries({ labels, present, values }: Column, timesMs: Float64Array): MatrixSeries | null {
  for (const state of present) if (state !== FLOAT) return null;
  return { labels, timestampsMs: timesMs, values, histogramTimestampsMs: NO_TIMES, histograms: [] };
}

const NO_TIMES = new Float64Array(0);

function seriesOf({ labels, present, values, histograms }: Column, grid: Grid): MatrixSeries {
  const stepsOf = (state: number) => {
    const steps: number[] = [];
    for (let step = 0; step < grid.count; step++) if (present[step] === state) steps.push(step);
    return steps;
  };
  const floats = stepsOf(FLOAT);
  const others = histograms === null ? [] : stepsOf(HISTOGRAM);
  return {
    labels,
    timestampsMs: Float64Array.from(floats, (step) => timeAt(grid, step)),
    values: Float64Array.from(floats, (step) => values[step] ?? NaN),
    histogramTimestampsMs: Float64Array.from(others, (step) => timeAt(grid, step)),
    histograms: others.flatMap((step) => histograms?.[step] ?? []),
  };
}
