import type { Histogram } from "../../../histogram.ts";
import { addTo, createSum, totalOf } from "../../kahan.ts";
import { quantileOf } from "../../quantile.ts";
import { floatCount, floatsOf, histogramCount, type RangeFunction, type Window } from "../window.ts";
import { averageOverTime, sumOverTime } from "./histogram-over-time.ts";
import { informIgnored, warnMixed } from "./messages.ts";

/** The mean, by a compensated sum, or step by step when that sum overflows. */
function meanOf(values: Float64Array): number {
  const sum = createSum(values[0] ?? NaN);
  for (let index = 1; index < values.length; index++) {
    const before = { ...sum };
    addTo(sum, values[index] ?? NaN);
    if (sum.value === Infinity || sum.value === -Infinity) return meanByParts(values, index, before);
  }
  return sum.value / values.length + sum.lost / values.length;
}

function meanByParts(
  values: Float64Array,
  from: number,
  { value, lost }: { value: number; lost: number },
): number {
  const mean = { value: value / from, lost: lost / from };
  for (let index = from; index < values.length; index++) {
    const share = index / (index + 1);
    mean.value *= share;
    mean.lost *= share;
    addTo(mean, (values[index] ?? NaN) / (index + 1));
  }
  return totalOf(mean);
}

const sumOfFloats = (values: Float64Array) => {
  const sum = createSum(0);
  for (const value of values) addTo(sum, value);
  return totalOf(sum);
};

/** Functions that add histograms as they add floats, and not both. */
function ofEither(ofFloats: (values: Float64Array) => number, ofHistograms: RangeFunction): RangeFunction {
  return (window) => {
    if (histogramCount(window) === 0) return ofFloats(floatsOf(window));
    return floatCount(window) > 0 ? warnMixed(window) : ofHistograms(window);
  };
}

/** Functions that know floats alone, and say when they passed over histograms. */
function ofFloatsAlone(calculate: (values: Float64Array, window: Window) => number): RangeFunction {
  return (window) => {
    if (floatCount(window) === 0) return undefined;
    if (histogramCount(window) > 0) informIgnored(window);
    return calculate(floatsOf(window), window);
  };
}

function varianceOf(values: Float64Array): number {
  const mean = createSum(0);
  const squares = createSum(0);
  let count = 0;
  for (const value of values) {
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

function minOf(values: Float64Array): number {
  let least = values[0] ?? NaN;
  for (let index = 1; index < values.length; index++) {
    const value = values[index] ?? NaN;
    if (value < least || least !== least) least = value;
  }
  return least;
}

function maxOf(values: Float64Array): number {
  let most = values[0] ?? NaN;
  for (let index = 1; index < values.length; index++) {
    const value = values[index] ?? NaN;
    if (value > most || most !== most) most = value;
  }
  return most;
}

function medianDeviation(values: Float64Array): number {
  if (values.some(Number.isNaN)) return NaN;
  const median = quantileOf(0.5, values.slice());
  return quantileOf(
    0.5,
    values.map((value) => Math.abs(value - median)),
  );
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
  return ofFloatsAlone(
    (values, { series, from }) => (series.times[from + extremeIndex(values, isBetter)] ?? NaN) / 1000,
  );
}

/** The functions that end in `_over_time`. */
export const OVER_TIME: ReadonlyMap<string, RangeFunction> = new Map<string, RangeFunction>([
  ["sum_over_time", ofEither(sumOfFloats, sumOverTime)],
  ["avg_over_time", ofEither(meanOf, averageOverTime)],
  ["count_over_time", (window) => floatCount(window) + histogramCount(window)],
  ["present_over_time", () => 1],
  ["absent_over_time", () => 1],
  ["min_over_time", ofFloatsAlone(minOf)],
  ["max_over_time", ofFloatsAlone(maxOf)],
  ["stddev_over_time", ofFloatsAlone((values) => Math.sqrt(varianceOf(values)))],
  ["stdvar_over_time", ofFloatsAlone(varianceOf)],
  ["mad_over_time", ofFloatsAlone(medianDeviation)],
  ["quantile_over_time", ofFloatsAlone((values, { parameters: [q = NaN] }) => quantileOf(q, values.slice()))],
  ["first_over_time", (window) => endOf(window, "first").value],
  ["last_over_time", (window) => endOf(window, "last").value],
  ["ts_of_first_over_time", (window) => endOf(window, "first").timeMs / 1000],
  ["ts_of_last_over_time", (window) => endOf(window, "last").timeMs / 1000],
  ["ts_of_min_over_time", timeOfExtreme(isLess)],
  ["ts_of_max_over_time", timeOfExtreme(isMore)],
]);
