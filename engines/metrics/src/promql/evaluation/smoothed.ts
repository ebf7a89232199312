import { labelValue, METRIC_NAME } from "../../labels.ts";
import type { Evaluation } from "./evaluation.ts";
import type { SelectorPlan } from "./plan.ts";
import { firstAfter, fromStorage, type RangeSeries } from "./range-series.ts";
import { interpolate, interpolateHistograms } from "./ranges/extended-rate.ts";
import { warnMixed, warnMixedSchemas } from "./ranges/messages.ts";
import { isCustom } from "../histograms/bounds.ts";
import {
  type Column,
  createColumn,
  type Grid,
  hasSamples,
  lookAt,
  type MutableColumn,
  setFloat,
  setHistogram,
} from "./values.ts";
import type { Window } from "./window.ts";

/** A selector whose value between two samples lies on the line between them; after the last it stays. */
export function selectSmoothed(evaluation: Evaluation, selector: SelectorPlan, grid: Grid): Column[] {
  return evaluation
    .seriesOf(selector)
    .map((series) => {
      const range = fromStorage(series);
      const column = createColumn(range.labels, grid.count, false);
      for (let step = 0; step < grid.count; step++)
        smoothAt(evaluation, { column, range, selector, grid, step });
      evaluation.budget.addSamples(grid.count);
      return column;
    })
    .filter(hasSamples);
}

interface Smoothing {
  column: MutableColumn;
  range: RangeSeries;
  selector: SelectorPlan;
  grid: Grid;
  step: number;
}

function smoothAt(
  { lookbackMs, annotations, budget }: Evaluation,
  { column, range, selector, grid, step }: Smoothing,
): void {
  const timeMs = lookAt(selector, grid, step);
  const { times, histogramTimes } = range;
  const [fromMs, toMs] = [timeMs - lookbackMs, timeMs + lookbackMs];
  const window: Window = {
    series: range,
    from: firstAfter(times, fromMs, 0),
    to: firstAfter(times, toMs, 0),
    histogramFrom: firstAfter(histogramTimes, fromMs, 0),
    histogramTo: firstAfter(histogramTimes, toMs, 0),
    timeMs,
    startMs: timeMs,
    endMs: timeMs,
    rangeMs: 0,
    parameters: [],
    extension: "smoothed",
    position: selector.position,
    annotations,
    budget,
    metricName: labelValue(range.labels, METRIC_NAME),
    resets: null,
  };
  const hasFloats = window.to > window.from;
  if (window.histogramTo > window.histogramFrom) {
    if (hasFloats) warnMixed(window);
    else smoothHistogram(column, step, window);
  } else if (hasFloats) smoothFloat(column, step, window);
}

function smoothFloat(column: MutableColumn, step: number, { series, from, to, timeMs }: Window): void {
  const { times, values } = series;
  const before = firstAfter(times, timeMs, from) - 1;
  if (before < from) return;
  const point = (index: number) => ({ timeMs: times[index] ?? 0, value: values[index] ?? NaN });
  const isBetween = (times[before] ?? 0) < timeMs && before + 1 < to;
  const value = isBetween
    ? interpolate(point(before), point(before + 1), { timeMs, isCounter: false })
    : point(before).value;
  setFloat(column, step, value);
}

function smoothHistogram(column: MutableColumn, step: number, window: Window): void {
  const { series, histogramFrom, histogramTo, timeMs } = window;
  const { histogramTimes, histograms } = series;
  const before = firstAfter(histogramTimes, timeMs, histogramFrom) - 1;
  const sample = histograms[before];
  if (before < histogramFrom || sample === undefined) return;
  if (histogramTimes[before] === timeMs) return setHistogram(column, step, sample);
  const next = histograms[before + 1];
  if (before + 1 >= histogramTo || next === undefined) {
    return setHistogram(column, step, { ...sample, resetHint: "unknown" });
  }
  if (isCustom(sample) !== isCustom(next)) return warnMixedSchemas(window);
  const isCounter = sample.resetHint !== "gauge" || next.resetHint !== "gauge";
  const between = interpolateHistograms(window, { before, timeMs, isCounter });
  if (between !== undefined) setHistogram(column, step, between);
}
