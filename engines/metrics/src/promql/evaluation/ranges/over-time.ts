import type { Histogram } from "../../../histogram.ts";
import { addTo, createSum, type Sum, totalOf } from "../../kahan.ts";
import { quantileOf } from "../../quantile.ts";
import { pace } from "../budget.ts";
import { floatCount, floatsOf, histogramCount, type RangeFunction, type Window } from "../window.ts";
import { averageOverTime, sumOverTime } from "./histogram-over-time.ts";
import { informIgnored, warnMixed } from "./messages.ts";

/** What is made of the floats from one index on, up to another; plain numbers, for speed. */
export type OfFloats = (values: Float64Array, from: number, to: number) => number;

/** The mean, by a compensated sum, or step by step when that overflows. */
function meanOf(values: Float64Array, from: number, to: number): number {
  let sum = values[from] ?? NaN;
  let lost = 0;
  for (let index = from + 1; index < to; index++) {
    const term = values[index] ?? NaN;
    const total = sum + term;
    if (total === Infinity || total === -Infinity)
      return meanByParts(values.subarray(from, to), index - from, { value: sum, lost });
    lost += Math.abs(sum) >= Math.abs(term) ? sum - total + term : term - total + sum;
    sum = total;
  }
  const count = to - from;
  return sum / count + lost / count;
}

function meanByParts(values: Float64Array, from: number, { value, lost }: Sum): number {
  const mean = { value: value / from, lost: lost / from };
  for (let index = from; index < values.length; index++) {
    const share = index / (index + 1);
    mean.value *= share;
    mean.lost *= share;
    addTo(mean, (values[index] ?? NaN) / (index + 1));
  }
  return totalOf(mean);
}

/** The mean of what the values are means of themselves. */
function weightedMean({ series, from, to }: Window, counts: Float64Array): number {
  const sum = createSum(0);
  for (let index = from; index < to; index++)
    addTo(sum, (series.values[index] ?? NaN) * (counts[index] ?? NaN));
  return totalOf(sum) / totalCount(counts, from, to);
}

function totalCount(counts: Float64Array, from: number, to: number): number {
  let total = 0;
  for (let index = from; index < to; index++) total += counts[index] ?? NaN;
  return total;
}

/** How many floats the window has, or stands for. */
function sampleCount(window: Window): number {
  const { counts } = window.series;
  return counts === null ? floatCount(window) : totalCount(counts, window.from, window.to);
}

const averageOfEither = ofEither(meanOf, averageOverTime);

function averageOf(window: Window): ReturnType<RangeFunction> {
  const { counts } = window.series;
  const isWeighted = counts !== null && histogramCount(window) === 0;
  return isWeighted ? weightedMean(window, counts) : averageOfEither(window);
}

function sumOf(values: Float64Array, from: number, to: number): number {
  let sum = 0;
  let lost = 0;
  for (let index = from; index < to; index++) {
    const term = values[index] ?? NaN;
    const total = sum + term;
    if (total === Infinity || total === -Infinity) lost = 0;
    else lost += Math.abs(sum) >= Math.abs(term) ? sum - total + term : term - total + sum;
    sum = total;
  }
  return sum + lost;
}

/** Functions that add histograms as they add floats, and not both. */
function ofEither(ofFloats: OfFloats, ofHistograms: RangeFunction): RangeFunction {
  return (window) => {
    if (histogramCount(window) === 0) return ofFloats(window.series.values, window.from, window.to);
    return floatCount(window) > 0 ? warnMixed(window) : ofHistograms(window);
  };
}

/** Functions that know floats alone, and say when they passed over histograms. */
function ofFloatsAlone(calculate: OfFloats): RangeFunction {
  return ofWindow(({ series, from, to }) => calculate(series.values, from, to));
}

function ofWindow(calculate: (window: Window) => number): RangeFunction {
  return (window) => {
    if (floatCount(window) === 0) return undefined;
    if (histogramCount(window) > 0) informIgnored(window);
    return calculate(window);
  };
}

function varianceOf(window: Window): number {
  const mean = createSum(0);
  const squares = createSum(0);
  let count = 0;
  for (const value of floatsOf(window)) {
    pace(window.budget, count);
    count += 1;
    const difference = value - totalOf(mean);
    addTo(mean, difference / count);
    addTo(squares, difference * (value - totalOf(mean)));
  }
  return totalOf(squares) / count;
}

/** The index of the smallest or largest value, the last of equals; NaN only when there is nothing else. */
function extremeIndex(values: Float64Array, isBetter: (value: number, than: number) => boolean): number {
  let best = 0;
  for (let index = 0; index < values.length; index++) {
    const [value, than] = [values[index] ?? NaN, values[best] ?? NaN];
    if (isBetter(value, than) || value === than || than !== than) best = index;
  }
  return best;
}

const isLess = (value: number, than: number) => value < than;
const isMore = (value: number, than: number) => value > than;

function minOf(values: Float64Array, from: number, to: number): number {
  let least = values[from] ?? NaN;
  for (let index = from + 1; index < to; index++) {
    const value = values[index] ?? NaN;
    if (value < least || least !== least) least = value;
  }
  return least;
}

function maxOf(values: Float64Array, from: number, to: number): number {
  let most = values[from] ?? NaN;
  for (let index = from + 1; index < to; index++) {
    const value = values[index] ?? NaN;
    if (value > most || most !== most) most = value;
  }
  return most;
}

function medianDeviation(window: Window): number {
  const values = floatsOf(window).slice();
  // Sorting moves the values, and takes none away.
  const median = quantileOf(0.5, values);
  window.budget.addSteps(values.length);
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? NaN;
    if (value !== value) return NaN;
    values[index] = Math.abs(value - median);
  }
  return quantileOf(0.5, values);
}

type End = "first" | "last";

/** The outermost sample of the window, of whatever kind. */
function endOf(window: Window, end: End): { timeMs: number; value: number | Histogram | undefined } {
  const { series, from, to, histogramFrom, histogramTo } = window;
  const float = end === "first" ? from : to - 1;
  const histogram = end === "first" ? histogramFrom : histogramTo - 1;
  const floatMs = floatCount(window) > 0 ? (series.times[float] ?? NaN) : NaN;
  const histogramMs = histogramCount(window) > 0 ? (series.histogramTimes[histogram] ?? NaN) : NaN;
  const isFloat =
    Number.isNaN(histogramMs) || (end === "first" ? floatMs < histogramMs : floatMs > histogramMs);
  if (isFloat) return { timeMs: floatMs, value: series.values[float] };
  return { timeMs: histogramMs, value: series.histograms[histogram] };
}

function timeOfExtreme(isBetter: (value: number, than: number) => boolean): RangeFunction {
  return ofWindow((window) => {
    const { series, from } = window;
    return (series.times[from + extremeIndex(floatsOf(window), isBetter)] ?? NaN) / 1000;
  });
}

/** Of series of floats alone. */
export const FLOATS_OVER_TIME: ReadonlyMap<string, OfFloats> = new Map<string, OfFloats>([
  ["sum_over_time", sumOf],
  ["avg_over_time", meanOf],
  ["min_over_time", minOf],
  ["max_over_time", maxOf],
  ["count_over_time", (_, from, to) => to - from],
  ["present_over_time", () => 1],
  ["absent_over_time", () => 1],
  ["last_over_time", (values, _, to) => values[to - 1] ?? NaN],
]);

/** The functions that end in `_over_time`. */
export const OVER_TIME: ReadonlyMap<string, RangeFunction> = new Map<string, RangeFunction>([
  ["sum_over_time", ofEither(sumOf, sumOverTime)],
  ["avg_over_time", averageOf],
  ["count_over_time", (window) => sampleCount(window) + histogramCount(window)],
  ["present_over_time", () => 1],
  ["absent_over_time", () => 1],
  ["min_over_time", ofFloatsAlone(minOf)],
  ["max_over_time", ofFloatsAlone(maxOf)],
  ["stddev_over_time", ofWindow((window) => Math.sqrt(varianceOf(window)))],
  ["stdvar_over_time", ofWindow(varianceOf)],
  ["mad_over_time", ofWindow(medianDeviation)],
  [
    "quantile_over_time",
    ofWindow((window) => quantileOf(window.parameters[0] ?? NaN, floatsOf(window).slice())),
  ],
  ["first_over_time", (window) => endOf(window, "first").value],
  ["last_over_time", (window) => endOf(window, "last").value],
  ["ts_of_first_over_time", (window) => endOf(window, "first").timeMs / 1000],
  ["ts_of_last_over_time", (window) => endOf(window, "last").timeMs / 1000],
  ["ts_of_min_over_time", timeOfExtreme(isLess)],
  ["ts_of_max_over_time", timeOfExtreme(isMore)],
]);
