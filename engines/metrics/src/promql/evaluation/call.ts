import { NO_LABELS } from "../../labels.ts";
import { absent, callRange, findRange, labelsOfAbsent } from "./call-range.ts";
import { pace } from "./budget.ts";
import type { Evaluation } from "./evaluation.ts";
import { FLOAT_FUNCTIONS, least, most, TIME_FUNCTIONS } from "./float-functions.ts";
import { histogramFractions, histogramQuantiles, SIMPLE, simpleHistogram } from "./histogram-functions.ts";
import { evaluateInfo } from "./info.ts";
import { labelJoin, labelReplace, stringOf } from "./label-functions.ts";
import { mergeColumns } from "./merge.ts";
import type { CallPlan, Plan } from "./plan.ts";
import { QueryError } from "./query-error.ts";
import { selectInstant } from "./select.ts";
import { sortByLabels, sortByValue } from "./sorting.ts";
import {
  ABSENT,
  type Column,
  createColumn,
  FLOAT,
  type Grid,
  hasSamples,
  setFloat,
  timeAt,
  type Value,
} from "./values.ts";

/** A function call. */
export function evaluateCall(evaluation: Evaluation, call: CallPlan, grid: Grid): Value {
  const range = findRange(call.args);
  if (range !== undefined) return vector(callRange(evaluation, { call, range }, grid));
  const special = SPECIAL.get(call.name);
  if (special !== undefined) return special({ evaluation, call, grid });
  const onFloats = FLOAT_FUNCTIONS.get(call.name);
  if (onFloats !== undefined)
    return vector(mapFloats(evaluation, columnsOf({ evaluation, call, grid }, 0), onFloats));
  const onHistograms = SIMPLE.get(call.name);
  if (onHistograms !== undefined)
    return vector(simpleHistogram(columnsOf({ evaluation, call, grid }, 0), onHistograms));
  const onTime = TIME_FUNCTIONS.get(call.name);
  if (onTime !== undefined) return vector(ofTime({ evaluation, call, grid }, onTime));
  throw new QueryError(`unknown function "${call.name}"`);
}

interface Context {
  evaluation: Evaluation;
  call: CallPlan;
  grid: Grid;
}

function vector(columns: readonly Column[]): Value {
  return { type: "vector", columns };
}

function scalar(values: Float64Array): Value {
  return { type: "scalar", values };
}

function argument({ call }: Context, index: number): Plan {
  const plan = call.args[index];
  if (plan === undefined) throw new QueryError(`${call.name} lacks an argument`);
  return plan;
}

function columnsOf(context: Context, index: number): readonly Column[] {
  const value = context.evaluation.evaluate(argument(context, index), context.grid);
  return value.type === "vector" ? value.columns : [];
}

function scalarsOf(context: Context, index: number): Float64Array {
  const value = context.evaluation.evaluate(argument(context, index), context.grid);
  return value.type === "scalar" ? value.values : new Float64Array(context.grid.count).fill(NaN);
}

/** Floats changed one by one; the name goes with the value. */
function mapFloats(
  { budget }: Evaluation,
  columns: readonly Column[],
  change: (value: number, step: number) => number,
): Column[] {
  return columns
    .map((column) => {
      const result = createColumn(column.labels, column.present.length, true);
      budget.addSteps(column.present.length);
      for (let step = 0; step < column.present.length; step++) {
        pace(budget, step);
        if (column.present[step] === FLOAT) setFloat(result, step, change(column.values[step] ?? NaN, step));
      }
      return result;
    })
    .filter(hasSamples);
}

function ofTime(context: Context, read: (seconds: number) => number): Column[] {
  if (context.call.args.length > 0) return mapFloats(context.evaluation, columnsOf(context, 0), read);
  return [constant(context, (step) => read(Math.floor(timeAt(context.grid, step) / 1000)))];
}

function constant({ evaluation, grid }: Context, valueAt: (step: number) => number): Column {
  const column = createColumn(NO_LABELS, grid.count, false);
  for (let step = 0; step < grid.count; step++) {
    pace(evaluation.budget, step);
    setFloat(column, step, valueAt(step));
  }
  return column;
}

function clamp(context: Context, low: Float64Array | null, high: Float64Array | null): Value {
  const [lows, highs] = [low ?? filled(context, -Infinity), high ?? filled(context, Infinity)];
  const clamped = mapFloats(context.evaluation, columnsOf(context, 0), (value, step) =>
    most(lows[step] ?? NaN, least(highs[step] ?? NaN, value)),
  );
  for (const { present } of clamped) {
    for (let step = 0; step < present.length; step++) {
      if ((highs[step] ?? NaN) < (lows[step] ?? NaN)) present[step] = ABSENT;
    }
  }
  return vector(clamped.filter(hasSamples));
}

function filled({ grid }: Context, value: number): Float64Array {
  return new Float64Array(grid.count).fill(value);
}

function round(context: Context): Value {
  const nearest = context.call.args.length > 1 ? scalarsOf(context, 1) : filled(context, 1);
  return vector(
    mapFloats(context.evaluation, columnsOf(context, 0), (value, step) => {
      const inverse = 1 / (nearest[step] ?? NaN);
      return Math.floor(value * inverse + 0.5) / inverse;
    }),
  );
}

/** The value of the only float there is, else NaN. */
function toScalar(context: Context): Value {
  const columns = columnsOf(context, 0);
  const values = filled(context, NaN);
  for (let step = 0; step < context.grid.count; step++) {
    pace(context.evaluation.budget, step);
    const found = columns.filter((column) => column.present[step] === FLOAT);
    if (found.length === 1) values[step] = found[0]?.values[step] ?? NaN;
  }
  return scalar(values);
}

function toVector(context: Context): Value {
  const values = scalarsOf(context, 0);
  return vector([constant(context, (step) => values[step] ?? NaN)]);
}

/** When the samples of a selector were taken; of anything computed, the moment of evaluation. */
function timestamp(context: Context): Value {
  const { evaluation, grid } = context;
  const arg = argument(context, 0);
  const selector = arg.kind === "invariant" ? arg.expr : arg;
  if (selector.kind === "selector") return vector(selectInstant(evaluation, { selector, grid }, "time"));
  const columns = columnsOf(context, 0).map((column) => {
    const result = createColumn(column.labels, grid.count, true);
    for (let step = 0; step < grid.count; step++) {
      pace(evaluation.budget, step);
      if (column.present[step] !== ABSENT) setFloat(result, step, timeAt(grid, step) / 1000);
    }
    return result;
  });
  return vector(columns);
}

function startTimestamp(context: Context): Value {
  const { evaluation, grid } = context;
  const selector = argument(context, 0);
  return vector(selector.kind === "selector" ? selectInstant(evaluation, { selector, grid }, "start") : []);
}

function absentOf(context: Context): Value {
  const arg = argument(context, 0);
  const selector = arg.kind === "invariant" ? arg.expr : arg;
  const labels = labelsOfAbsent(selector.kind === "selector" ? selector.matchers : []);
  const columns = context.evaluation.inTurn(arg, context.grid);
  return vector([absent(columns, { labels, grid: context.grid })].filter(hasSamples));
}

function sorted(context: Context, sort: (columns: readonly Column[]) => Column[]): Value {
  const { evaluation, call, grid } = context;
  if (evaluation.isRange && grid.count > 1) {
    const message = "sort is ineffective for range queries since results are always ordered by labels";
    evaluation.annotations.warn(message, call.position);
    return vector(columnsOf(context, 0));
  }
  return vector(sort(columnsOf(context, 0)));
}

function labelSorted(context: Context, direction: 1 | -1): Value {
  const names = context.call.args.slice(1).map(stringOf);
  return sorted(context, (columns) => sortByLabels(columns, names, direction));
}

function quantile(context: Context): Value {
  const { evaluation, grid } = context;
  const quantiles = [{ values: scalarsOf(context, 0), position: argument(context, 0).position }];
  const input = { columns: columnsOf(context, 1), position: argument(context, 1).position, grid };
  return vector(mergeColumns(histogramQuantiles(evaluation, input, { quantiles, label: null })));
}

function severalQuantiles(context: Context): Value {
  const { evaluation, call, grid } = context;
  const asked = call.args
    .slice(2)
    .map((arg, index) => ({ values: scalarsOf(context, index + 2), position: arg.position }));
  const input = { columns: columnsOf(context, 0), position: argument(context, 0).position, grid };
  const label = stringOf(call.args[1]);
  return vector(mergeColumns(histogramQuantiles(evaluation, input, { quantiles: asked, label })));
}

function fraction(context: Context): Value {
  const { evaluation, grid } = context;
  const input = { columns: columnsOf(context, 2), position: argument(context, 2).position, grid };
  const bounds = { lower: scalarsOf(context, 0), upper: scalarsOf(context, 1) };
  return vector(mergeColumns(histogramFractions(evaluation, input, bounds)));
}

function pairwise(context: Context, choose: (a: number, b: number) => number): Value {
  const right = scalarsOf(context, 1);
  return scalar(scalarsOf(context, 0).map((value, step) => choose(value, right[step] ?? NaN)));
}

const SPECIAL: ReadonlyMap<string, (context: Context) => Value> = new Map<
  string,
  (context: Context) => Value
>([
  ["absent", absentOf],
  ["clamp", (context) => clamp(context, scalarsOf(context, 1), scalarsOf(context, 2))],
  ["clamp_max", (context) => clamp(context, null, scalarsOf(context, 1))],
  ["clamp_min", (context) => clamp(context, scalarsOf(context, 1), null)],
  ["histogram_fraction", fraction],
  ["histogram_quantile", quantile],
  ["histogram_quantiles", severalQuantiles],
  ["info", ({ evaluation, call, grid }) => vector(evaluateInfo(evaluation, call, grid))],
  ["label_join", ({ evaluation, call, grid }) => vector(labelJoin(evaluation, call, grid))],
  ["label_replace", ({ evaluation, call, grid }) => vector(labelReplace(evaluation, call, grid))],
  ["max_of", (context) => pairwise(context, most)],
  ["min_of", (context) => pairwise(context, least)],
  ["pi", (context) => scalar(filled(context, Math.PI))],
  ["round", round],
  ["scalar", toScalar],
  ["sort", (context) => sorted(context, (columns) => sortByValue(columns, 1))],
  ["sort_by_label", (context) => labelSorted(context, 1)],
  ["sort_by_label_desc", (context) => labelSorted(context, -1)],
  ["sort_desc", (context) => sorted(context, (columns) => sortByValue(columns, -1))],
  ["start_timestamp", startTimestamp],
  ["time", (context) => scalar(constant(context, (step) => timeAt(context.grid, step) / 1000).values)],
  ["timestamp", timestamp],
  ["vector", toVector],
]);
