import { labelValue, METRIC_NAME } from "../../labels.ts";
import type { MatrixSeries } from "../query-result.ts";
import { createAnnotations } from "./annotations.ts";
import type { EvaluationBudget } from "./budget.ts";
import type { MatrixPlan, SubqueryPlan } from "./plan.ts";
import { QueryError } from "./query-error.ts";
import { firstAfter, type RangeSeries } from "./range-series.ts";
import { endsOf, spanOf } from "./ranges/extended-rate.ts";
import { type Grid, lookAt } from "./values.ts";
import type { Window } from "./window.ts";

interface Extension {
  range: MatrixPlan | SubqueryPlan;
  grid: Grid;
  lookbackMs: number;
  budget: EvaluationBudget;
}

/** The samples of a range as an answer: an anchored or smoothed one gets a sample at each of its ends. */
export function extendRange(
  series: RangeSeries,
  { range, grid, lookbackMs, budget }: Extension,
): MatrixSeries {
  const look = range.kind === "matrix" ? range.selector : range;
  const extension = range.kind === "matrix" ? range.selector.extension : null;
  const endMs = lookAt(look, grid, 0);
  const startMs = endMs - range.rangeMs;
  const fromMs = extension === null ? startMs : startMs - lookbackMs;
  const toMs = extension === "smoothed" ? endMs + lookbackMs : endMs;
  const window: Window = {
    series,
    from: firstAfter(series.times, fromMs, 0),
    to: firstAfter(series.times, toMs, 0),
    histogramFrom: firstAfter(series.histogramTimes, fromMs, 0),
    histogramTo: firstAfter(series.histogramTimes, toMs, 0),
    timeMs: grid.startMs,
    startMs,
    endMs,
    rangeMs: range.rangeMs,
    parameters: [],
    extension,
    position: range.position,
    annotations: createAnnotations(""),
    budget,
    metricName: labelValue(series.labels, METRIC_NAME),
    resets: null,
  };
  return extension === null ? plain(window) : withEnds(window);
}

function plain({ series, from, to, histogramFrom, histogramTo }: Window): MatrixSeries {
  return {
    labels: series.labels,
    timestampsMs: series.times.slice(from, to),
    values: series.values.slice(from, to),
    histogramTimestampsMs: series.histogramTimes.slice(histogramFrom, histogramTo),
    histograms: series.histograms.slice(histogramFrom, histogramTo),
  };
}

function withEnds(window: Window): MatrixSeries {
  const { series, extension, startMs, endMs } = window;
  if (window.histogramTo > window.histogramFrom) {
    throw new QueryError(`${extension} modifier is not supported with histograms`);
  }
  const span = spanOf(series.times, window, window);
  const empty = new Float64Array(0);
  const result = { labels: series.labels, histogramTimestampsMs: empty, histograms: [] };
  if (span === null) return { ...result, timestampsMs: empty, values: empty };
  const { left, right } = endsOf(window, span, false);
  const first = firstAfter(series.times, startMs, span.first);
  let last = span.last;
  while (last >= first && (series.times[last] ?? 0) >= endMs) last -= 1;
  return {
    ...result,
    timestampsMs: Float64Array.from([startMs, ...series.times.subarray(first, last + 1), endMs]),
    values: Float64Array.from([left, ...series.values.subarray(first, last + 1), right]),
  };
}
