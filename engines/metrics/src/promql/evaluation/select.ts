import type { Histogram } from "../../histogram.ts";
import { isStaleAt } from "../../stale.ts";
import type { Series } from "../../storage.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Look, SelectorPlan } from "./plan.ts";
import { firstAfter } from "./range-series.ts";
import {
  type Column,
  createColumn,
  type Grid,
  hasSamples,
  type MutableColumn,
  setFloat,
  setHistogram,
  timeAt,
} from "./values.ts";

/** The moment in the data that belongs to a step. */
export function lookAt({ atMs, offsetMs }: Look, grid: Grid, step: number): number {
  return (atMs ?? timeAt(grid, step)) - offsetMs;
}

/**
 * What a selector yields: at each step the newest sample
 * within the lookback, or when it was taken (in seconds).
 */
export function selectInstant(
  evaluation: Evaluation,
  { selector, grid }: { selector: SelectorPlan; grid: Grid },
  wanted: "value" | "time" | "start" = "value",
): Column[] {
  const { lookbackMs, budget } = evaluation;
  const columns: Column[] = [];
  for (const series of evaluation.seriesOf(selector)) {
    const column = createColumn(series.labels, grid.count, wanted !== "value");
    fill(column, { series, selector, grid, lookbackMs, wanted });
    if (!hasSamples(column)) continue;
    budget.addSamples(grid.count);
    columns.push(column);
  }
  return columns;
}

interface Filling {
  series: Series;
  selector: SelectorPlan;
  grid: Grid;
  lookbackMs: number;
  wanted: "value" | "time" | "start";
}

function fill(column: MutableColumn, filling: Filling): void {
  const { series, selector, grid, lookbackMs } = filling;
  const { timestampsMs, values } = series.floats;
  const histogramTimes = series.histograms?.timestampsMs ?? NO_TIMES;
  let [floatNext, histogramNext, lastPicked] = [0, 0, -1];
  for (let step = 0; step < grid.count; step++) {
    const timeMs = lookAt(selector, grid, step);
    floatNext = firstAfter(timestampsMs, timeMs, floatNext);
    histogramNext = firstAfter(histogramTimes, timeMs, histogramNext);
    const floatMs = timestampsMs[floatNext - 1] ?? -Infinity;
    const histogramMs = histogramTimes[histogramNext - 1] ?? -Infinity;
    if (timeMs - Math.max(floatMs, histogramMs) >= lookbackMs) continue;
    if (histogramMs > floatMs) {
      setHistogramOf(column, filling, { at: histogramNext - 1, step, lastPicked });
      lastPicked = histogramNext - 1;
    } else if (!isStaleAt(values, floatNext - 1)) setFloatOf(column, filling, { at: floatNext - 1, step });
  }
}

const NO_TIMES = new Float64Array(0);

function setFloatOf(
  column: MutableColumn,
  { series, wanted }: Filling,
  { at, step }: { at: number; step: number },
): void {
  const { timestampsMs, values, startTimestampsMs } = series.floats;
  if (wanted === "value") setFloat(column, step, values[at] ?? NaN);
  else if (wanted === "time") setFloat(column, step, (timestampsMs[at] ?? NaN) / 1000);
  else setFloat(column, step, (startTimestampsMs?.[at] ?? 0) / 1000);
}

interface Picked {
  at: number;
  step: number;
  lastPicked: number;
}

function setHistogramOf(
  column: MutableColumn,
  { series, wanted }: Filling,
  { at, step, lastPicked }: Picked,
): void {
  const { timestampsMs, values, startTimestampsMs } = series.histograms ?? {
    timestampsMs: NO_TIMES,
    values: [],
  };
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
