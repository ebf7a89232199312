import { labelValue, METRIC_NAME } from "../../labels.ts";
import { createCharge } from "./charge.ts";
import type { Evaluation } from "./evaluation.ts";
import type { CallPlan, MatrixPlan, SubqueryPlan } from "./plan.ts";
import { QueryError } from "./query-error.ts";
import { RANGE_FUNCTIONS } from "./range-functions.ts";
import type { RangeSeries } from "./range-series.ts";
import { createFloatFill } from "./ranges/float-fill.ts";
import { lookAt, type Grid, type MutableColumn, setFloat, setHistogram, timeAt } from "./values.ts";
import type { RangeFunction, Window } from "./window.ts";
import { costOf, createWindows, type Ranges, type Windows } from "./windows.ts";

export type RangePlan = MatrixPlan | SubqueryPlan;

/** A function, the range it slides over, and the scalars around that. */
export interface Sliding {
  readonly call: CallPlan;
  readonly range: RangePlan;
  readonly parameters: readonly Float64Array[];
}

/** Fills a column with what the function makes of a series. */
export type Slider = (column: MutableColumn, series: RangeSeries) => void;

export function createSlider(evaluation: Evaluation, sliding: Sliding, grid: Grid): Slider {
  const { call, range } = sliding;
  const apply = RANGE_FUNCTIONS.get(call.name);
  if (apply === undefined) throw new QueryError(`unknown function over a range "${call.name}"`);
  const ranges = rangesAround(evaluation, range, grid);
  const windowsOf = createWindows(ranges);
  const histogramWindowsOf = createWindows(ranges);
  const fillFloats =
    extensionOf(range) === null ? createFloatFill(call.name, ranges, evaluation.budget) : null;
  return (column, series) => {
    const windows = windowsOf(series.times);
    const isFloats = series.histogramTimes.length === 0 && series.starts === null && series.counts === null;
    if (fillFloats !== null && isFloats) return fillFloats(column, series, windows);
    const histogramWindows = histogramWindowsOf(series.histogramTimes);
    slideWindow(evaluation, { ...sliding, apply, column, series, ranges, windows, histogramWindows });
  };
}

function extensionOf(range: RangePlan): Window["extension"] {
  return range.kind === "matrix" ? range.selector.extension : null;
}

function rangesAround({ lookbackMs }: Evaluation, range: RangePlan, grid: Grid): Ranges {
  const extension = extensionOf(range);
  return {
    look: range.kind === "matrix" ? range.selector : range,
    grid,
    rangeMs: range.rangeMs,
    beforeMs: extension === null ? 0 : lookbackMs,
    behindMs: extension === "smoothed" ? lookbackMs : 0,
  };
}

interface WindowSliding extends Sliding {
  apply: RangeFunction;
  column: MutableColumn;
  series: RangeSeries;
  ranges: Ranges;
  windows: Windows;
  histogramWindows: Windows;
}

/** Step by step, with a window that is filled anew. */
function slideWindow(evaluation: Evaluation, sliding: WindowSliding): void {
  const { apply, column, ranges, parameters, windows, histogramWindows } = sliding;
  const { grid, look, rangeMs } = ranges;
  const window = createWindow(evaluation, sliding);
  const charge = createCharge(evaluation.budget);
  for (let step = 0; step < grid.count; step++) {
    window.timeMs = timeAt(grid, step);
    window.endMs = lookAt(look, grid, step);
    window.startMs = window.endMs - rangeMs;
    window.from = windows.from[step] ?? 0;
    window.to = windows.to[step] ?? 0;
    window.histogramFrom = histogramWindows.from[step] ?? 0;
    window.histogramTo = histogramWindows.to[step] ?? 0;
    const samples = window.to - window.from + window.histogramTo - window.histogramFrom;
    if (samples === 0) continue;
    for (let index = 0; index < parameters.length; index++) {
      window.parameters[index] = parameters[index]?.[step] ?? NaN;
    }
    charge.add(costOf(samples));
    const result = apply(window);
    if (typeof result === "number") setFloat(column, step, result);
    else if (result !== undefined) setHistogram(column, step, result);
  }
  charge.finish();
}

function createWindow({ annotations, budget }: Evaluation, { range, series }: WindowSliding): Window {
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
    extension: extensionOf(range),
    position: range.position,
    annotations,
    budget,
    metricName: labelValue(series.labels, METRIC_NAME),
    resets: null,
  };
}
