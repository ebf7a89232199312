import type { Histogram } from "../../../histogram.ts";
import { multiply } from "../../histograms/arithmetic.ts";
import { createHistogramSum, toHistogram } from "../../histograms/histogram-sum.ts";
import type { RangeSeries } from "../range-series.ts";
import { floatCount, histogramCount, type RangeFunction, type Window } from "../window.ts";
import { extendedHistogramRate, extendedRate } from "./extended-rate.ts";
import { histogramIncrease } from "./histogram-rate.ts";
import { addTelling, warnMixed } from "./messages.ts";
import { DELTA, INCREASE, RATE, type RateKind } from "./rate-kind.ts";
import { isRestart, startedAt, warnOverlap } from "./start-times.ts";

export const rate: RangeFunction = (window) => extrapolated(window, RATE);
export const increase: RangeFunction = (window) => extrapolated(window, INCREASE);
export const delta: RangeFunction = (window) => extrapolated(window, DELTA);

function extrapolated(window: Window, kind: RateKind): number | Histogram | undefined {
  const [floats, histograms] = [floatCount(window), histogramCount(window)];
  if (floats > 0 && histograms > 0) return warnMixed(window);
  if (window.extension !== null) {
    return histograms > 0 ? extendedHistogramRate(window, kind) : extendedRate(window, kind);
  }
  return histograms > 0 ? histogramRate(window, kind) : floatRate(window, kind);
}

function floatRate(window: Window, kind: RateKind): number | undefined {
  const { series, from, to } = window;
  const { times, values, starts } = series;
  const first = values[from] ?? NaN;
  let difference = (values[to - 1] ?? NaN) - first;
  if (kind.isCounter) difference += lostByResets(window);
  const span: Span = {
    count: to - from,
    firstMs: times[from] ?? 0,
    lastMs: times[to - 1] ?? 0,
    createdMs: kind.isCounter && starts !== null ? (starts[from] ?? 0) : 0,
    first: kind.isCounter && difference > 0 && first >= 0 ? first / difference : Infinity,
  };
  const isFromStart = beganWithin(window, span);
  if (to - from < 2 && !isFromStart) return undefined;
  const factor = factorOf(window, span, kind);
  return (isFromStart ? difference + first : difference) * factor;
}

function lostByResets(window: Window): number {
  const { series, from, to } = window;
  if (to - from < 2) return 0;
  if (series.starts !== null) tellOverlaps(window, series.starts);
  window.resets ??= sumResets(series);
  return (window.resets[to - 1] ?? 0) - (window.resets[from] ?? 0);
}

/**
 * What the counter had lost by each sample: differences of it spare every window the way through its samples.
 */
export function sumResets({ times, values, starts }: RangeSeries): Float64Array {
  const sums = new Float64Array(values.length);
  let sum = 0;
  for (let index = 1; index < values.length; index++) {
    const previous = values[index - 1] ?? NaN;
    const isReset =
      (values[index] ?? NaN) < previous ||
      (starts !== null && isRestart(startedAt(times, starts, index - 1), startedAt(times, starts, index)));
    if (isReset) sum += previous;
    sums[index] = sum;
  }
  return sums;
}

function tellOverlaps(window: Window, starts: Float64Array): void {
  const { times } = window.series;
  for (let index = window.from + 1; index < window.to; index++) {
    warnOverlap(window, startedAt(times, starts, index - 1), startedAt(times, starts, index));
  }
}

interface Span {
  count: number;
  firstMs: number;
  lastMs: number;
  /** When the counter began, 0 when that is not known. */
  createdMs: number;
  /** The first value in units of the difference. */
  first: number;
}

function beganWithin({ startMs }: Window, { createdMs, firstMs }: Span): boolean {
  return createdMs !== 0 && createdMs > startMs && createdMs < firstMs;
}

/** How long the samples last, and how far the range is taken to go on before and behind them. */
interface Reach {
  sampledMs: number;
  toStartMs: number;
  toEndMs: number;
}

/**
 * By how much the difference of the samples is to be raised, so that it stands
 * for the whole range: to its ends where samples are near them (1.1 of their
 * mean distance), else by half a distance; never to before a counter was 0.
 */
function factorOf(window: Window, span: Span, { isCounter, isPerSecond }: RateKind): number {
  const { startMs, endMs, rangeMs } = window;
  const { count, firstMs, lastMs, createdMs, first } = span;
  const meanMs = count > 1 ? (lastMs - firstMs) / (count - 1) : 0;
  const isFromStart = beganWithin(window, span);
  const sampledMs = lastMs - (isFromStart ? createdMs : firstMs);
  let toStartMs = isFromStart ? 0 : gapMs(firstMs - startMs, meanMs);
  if (!isFromStart && isCounter) toStartMs = Math.min(toStartMs, sampledMs * first);
  const factor = raiseBy({ sampledMs, toStartMs, toEndMs: gapMs(endMs - lastMs, meanMs) });
  return isPerSecond ? factor / (rangeMs / 1000) : factor;
}

/** How far from its outermost sample a range is taken to go on. */
export function gapMs(distanceMs: number, meanMs: number): number {
  return distanceMs >= meanMs * 1.1 ? meanMs / 2 : distanceMs;
}

export function raiseBy({ sampledMs, toStartMs, toEndMs }: Reach): number {
  return sampledMs === 0 ? 1 : (sampledMs + toStartMs + toEndMs) / sampledMs;
}

function histogramRate(window: Window, kind: RateKind): Histogram | undefined {
  const { series, histogramFrom, histogramTo } = window;
  const first = series.histograms[histogramFrom];
  if (first === undefined) return undefined;
  const count = histogramTo - histogramFrom;
  const increased = count > 1 ? histogramIncrease(window, kind.isCounter) : null;
  if (count > 1 && increased === null) return undefined;
  const span = {
    count,
    firstMs: series.histogramTimes[histogramFrom] ?? 0,
    lastMs: series.histogramTimes[histogramTo - 1] ?? 0,
    createdMs: kind.isCounter ? (series.histogramStarts?.[histogramFrom] ?? 0) : 0,
    first: firstShare(first, increased, kind),
  };
  if (!beganWithin(window, span)) {
    return increased === null ? undefined : multiply(increased, factorOf(window, span, kind));
  }
  if (increased === null) return multiply(first, factorOf(window, span, kind));
  const total = createHistogramSum(increased);
  if (!addTelling(total, first, { window, sign: 1 })) return undefined;
  return multiply(toHistogram(total), factorOf(window, span, kind));
}

function firstShare(first: Histogram, increased: Histogram | null, { isCounter }: RateKind): number {
  const isBounded = isCounter && increased !== null && increased.count > 0 && first.count >= 0;
  return isBounded ? first.count / increased.count : Infinity;
}
