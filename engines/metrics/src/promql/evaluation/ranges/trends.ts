import { addTo, createSum, totalOf } from "../../kahan.ts";
import { pace } from "../budget.ts";
import { QueryError } from "../query-error.ts";
import { floatCount, histogramCount, type RangeFunction, type Window } from "../window.ts";
import { informIgnored } from "./messages.ts";

/** Least squares over the floats of a window, times in seconds from a moment. */
function regression(
  { series, from, to, budget }: Window,
  originMs: number,
): { slope: number; intercept: number } {
  const { times, values } = series;
  const first = values[from] ?? NaN;
  const [sumX, sumY, sumXY, sumXX] = [createSum(0), createSum(0), createSum(0), createSum(0)];
  let isConstant = true;
  for (let index = from; index < to; index++) {
    pace(budget, index);
    const x = ((times[index] ?? 0) - originMs) / 1000;
    const y = values[index] ?? NaN;
    if (y !== first) isConstant = false;
    addTo(sumX, x);
    addTo(sumY, y);
    addTo(sumXY, x * y);
    addTo(sumXX, x * x);
  }
  if (isConstant) {
    return Number.isFinite(first) ? { slope: 0, intercept: first } : { slope: NaN, intercept: NaN };
  }
  const count = to - from;
  const [x, y] = [totalOf(sumX), totalOf(sumY)];
  const covariance = totalOf(sumXY) - (x * y) / count;
  const slope = covariance / (totalOf(sumXX) - (x * x) / count);
  return { slope, intercept: y / count - (slope * x) / count };
}

/** False when there are too few floats for a trend; says when histograms were passed over. */
function hasTrend(window: Window): boolean {
  const floats = floatCount(window);
  if (floats > 0 && histogramCount(window) > 0) informIgnored(window);
  return floats >= 2;
}

const deriv: RangeFunction = (window) =>
  hasTrend(window) ? regression(window, window.series.times[window.from] ?? 0).slope : undefined;

const predictLinear: RangeFunction = (window) => {
  if (!hasTrend(window)) return undefined;
  const { slope, intercept } = regression(window, window.timeMs);
  return slope * (window.parameters[0] ?? NaN) + intercept;
};

/** Holt's double exponential smoothing: a level and a trend, each a mean that forgets. */
const doubleExponentialSmoothing: RangeFunction = (window) => {
  const [level = NaN, trend = NaN] = window.parameters;
  checkFactor("smoothing", "sf", level);
  checkFactor("trend", "tf", trend);
  if (!hasTrend(window)) return undefined;
  const { series, from, to } = window;
  const { values } = series;
  let previous = 0;
  let current = values[from] ?? NaN;
  let slope = (values[from + 1] ?? NaN) - current;
  for (let index = from + 1; index < to; index++) {
    if (index > from + 1) slope = trend * (current - previous) + (1 - trend) * slope;
    previous = current;
    current = level * (values[index] ?? NaN) + (1 - level) * (previous + slope);
  }
  return current;
};

function checkFactor(name: string, short: string, value: number): void {
  if (value > 0 && value < 1) return;
  throw new QueryError(`invalid ${name} factor. Expected: 0 < ${short} < 1, got: ${value.toFixed(6)}`);
}

export const TRENDS: ReadonlyMap<string, RangeFunction> = new Map([
  ["deriv", deriv],
  ["predict_linear", predictLinear],
  ["double_exponential_smoothing", doubleExponentialSmoothing],
]);
