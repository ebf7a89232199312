import type { Histogram } from "../../histogram.ts";
import { isStaleAt } from "../../stale.ts";
import type { FloatColumn, HistogramColumn } from "../../storage.ts";
import { type EvaluationBudget, pace } from "./budget.ts";
import type { Evaluation } from "./evaluation.ts";
import type { SelectorPlan } from "./plan.ts";
import {
  type Column,
  type ColumnMaker,
  type Grid,
  hasSamples,
  lookAt,
  type MutableColumn,
  ownColumns,
  setFloat,
  setHistogram,
} from "./values.ts";

interface Selecting {
  selector: SelectorPlan;
  grid: Grid;
}

/** The value of a sample, or when it was taken or its counter began (in seconds). */
type Wanted = "value" | "time" | "start";

/** What a selector yields: at each step the newest sample within the lookback. */
export function selectInstant(
  evaluation: Evaluation,
  selecting: Selecting,
  wanted: Wanted = "value",
): Column[] {
  const makeColumn = ownColumns(selecting.grid.count);
  return [...instantColumns(evaluation, { ...selecting, wanted }, makeColumn)];
}

/** The same, one column after the other. */
export function* instantColumns(
  evaluation: Evaluation,
  { selector, grid, wanted }: Selecting & { wanted: Wanted },
  makeColumn: ColumnMaker,
): Generator<Column> {
  const { budget, lookbackMs } = evaluation;
  const lookback = { selector, grid, lookbackMs, budget };
  const newestOf = newestSamples(lookback);
  const newestHistogramOf = newestSamples(lookback);
  for (const series of evaluation.seriesOf(selector)) {
    const { floats, histograms } = series;
    const column = makeColumn(series.labels, wanted !== "value");
    const newest = newestOf(floats.timestampsMs);
    if (histograms !== undefined) {
      const newestHistograms = newestHistogramOf(histograms.timestampsMs);
      fillEither(column, { floats, newest, wanted }, { histograms, newestHistograms });
    } else if (wanted === "value") fillValues(column, { values: floats.values, newest, budget });
    else fillTimes(column, { floats, newest, wanted });
    if (!hasSamples(column)) continue;
    evaluation.budget.addSamples(grid.count);
    yield column;
  }
}

interface Lookback extends Selecting {
  lookbackMs: number;
  budget: EvaluationBudget;
}

/**
 * For each step the index of the newest sample, -1 where that is too old: one array, filled anew only when
 * other times come.
 */
function newestSamples(lookback: Lookback): (times: Float64Array) => Int32Array {
  const newest = new Int32Array(lookback.grid.count).fill(-1);
  let last: Float64Array = new Float64Array(0);
  return (times) => {
    if (times !== last) fillNewest(newest, times, lookback);
    last = times;
    return newest;
  };
}

function fillNewest(newest: Int32Array, times: Float64Array, lookback: Lookback): void {
  const { selector, grid, lookbackMs, budget } = lookback;
  let next = 0;
  for (let step = 0; step < newest.length; step++) {
    pace(budget, step);
    const timeMs = lookAt(selector, grid, step);
    while (next < times.length && (times[next] ?? 0) <= timeMs) next += 1;
    newest[step] = next > 0 && timeMs - (times[next - 1] ?? 0) < lookbackMs ? next - 1 : -1;
  }
}

interface Filling {
  values: Float64Array;
  newest: Int32Array;
  budget: EvaluationBudget;
}

/** What most selectors read: values alone, in a loop along arrays. */
function fillValues(column: MutableColumn, { values, newest, budget }: Filling): void {
  for (let step = 0; step < newest.length; step++) {
    pace(budget, step);
    const at = newest[step] ?? -1;
    if (at >= 0 && !isStaleAt(values, at)) setFloat(column, step, values[at] ?? NaN);
  }
}

interface NewestFloats {
  floats: FloatColumn;
  newest: Int32Array;
  wanted: Wanted;
}

function fillTimes(column: MutableColumn, found: NewestFloats): void {
  const { floats, newest } = found;
  for (const [step, at] of newest.entries()) {
    if (at >= 0 && !isStaleAt(floats.values, at)) setFloat(column, step, floatAt(found, at));
  }
}

function floatAt({ floats, wanted }: NewestFloats, at: number): number {
  if (wanted === "value") return floats.values[at] ?? NaN;
  if (wanted === "time") return (floats.timestampsMs[at] ?? NaN) / 1000;
  return (floats.startTimestampsMs?.[at] ?? 0) / 1000;
}

interface NewestHistograms {
  histograms: HistogramColumn;
  newestHistograms: Int32Array;
}

/** Floats and histograms in one series: whatever is newer. */
function fillEither(
  column: MutableColumn,
  found: NewestFloats,
  { histograms, newestHistograms }: NewestHistograms,
): void {
  const { floats, newest, wanted } = found;
  let lastPicked = -1;
  for (let step = 0; step < newest.length; step++) {
    const at = newest[step] ?? -1;
    const histogramAt = newestHistograms[step] ?? -1;
    const floatMs = floats.timestampsMs[at] ?? -Infinity;
    const histogramMs = histograms.timestampsMs[histogramAt] ?? -Infinity;
    if (histogramMs > floatMs) {
      setHistogramOf(column, { histograms, wanted }, { at: histogramAt, step, lastPicked });
      lastPicked = histogramAt;
    } else if (at >= 0 && !isStaleAt(floats.values, at)) setFloat(column, step, floatAt(found, at));
  }
}

interface Picked {
  at: number;
  step: number;
  lastPicked: number;
}

function setHistogramOf(
  column: MutableColumn,
  { histograms, wanted }: { histograms: HistogramColumn; wanted: Wanted },
  { at, step, lastPicked }: Picked,
): void {
  const { timestampsMs, values, startTimestampsMs } = histograms;
  const histogram = values[at];
  if (histogram === undefined) return;
  if (wanted === "value") setHistogram(column, step, hinted(histogram, { at, lastPicked }));
  else if (wanted === "time") setFloat(column, step, (timestampsMs[at] ?? NaN) / 1000);
  else setFloat(column, step, (startTimestampsMs?.[at] ?? 0) / 1000);
}

/** What a sample says about the one before it holds only when that one was the step before. */
function hinted(histogram: Histogram, { at, lastPicked }: { at: number; lastPicked: number }): Histogram {
  const isNext = lastPicked < 0 || at === lastPicked + 1;
  if (isNext || histogram.resetHint === "gauge" || histogram.resetHint === "unknown") return histogram;
  return { ...histogram, resetHint: at === lastPicked ? "not-reset" : "unknown" };
}
