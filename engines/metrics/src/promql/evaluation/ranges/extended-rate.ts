import type { Histogram } from "../../../histogram.ts";
import { divide, multiply } from "../../histograms/arithmetic.ts";
import { isCustom } from "../../histograms/bounds.ts";
import { createHistogramSum, type HistogramSum, toHistogram } from "../../histograms/histogram-sum.ts";
import { detectReset } from "../../histograms/resets.ts";
import type { Window } from "../window.ts";
import { addTelling, warnMixedSchemas, warnNotCounter, warnNotGauge } from "./messages.ts";
import type { RateKind } from "./rate-kind.ts";

/**
 * The samples between which an extended range lies: the last
 * one at or before its start, and the one that ends it.
 */
export interface Span {
  first: number;
  last: number;
}

/** Null when the range holds nothing: all samples lie before it, or (smoothed) behind it. */
export function spanOf(
  times: Float64Array,
  { from, to }: { from: number; to: number },
  window: Window,
): Span | null {
  const { startMs, endMs, extension } = window;
  let last = to - 1;
  if (last < from) return null;
  let first = from;
  while (first < last && (times[first] ?? 0) <= startMs) first += 1;
  first = Math.max(from, first - 1);
  if (extension === "smoothed") {
    let end = from;
    while (end < last && (times[end] ?? 0) < endMs) end += 1;
    last = end;
  }
  if ((times[last] ?? 0) <= startMs) return null;
  if (extension === "smoothed" && (times[first] ?? 0) > endMs) return null;
  return { first, last };
}

interface Point {
  timeMs: number;
  value: number;
}

/** The value between two samples at a time; a counter that fell began at 0. */
export function interpolate(
  before: Point,
  after: Point,
  { timeMs, isCounter }: { timeMs: number; isCounter: boolean },
): number {
  const from = isCounter && after.value < before.value ? 0 : before.value;
  return from + ((after.value - from) * (timeMs - before.timeMs)) / (after.timeMs - before.timeMs);
}

/** The values at both ends of the range. */
export function endsOf(
  window: Window,
  { first, last }: Span,
  isCounter: boolean,
): { left: number; right: number } {
  const { times, values } = window.series;
  const point = (index: number): Point => ({ timeMs: times[index] ?? 0, value: values[index] ?? NaN });
  const isSmoothed = window.extension === "smoothed";
  const left =
    isSmoothed && first < last && (times[first] ?? 0) < window.startMs
      ? interpolate(point(first), point(first + 1), { timeMs: window.startMs, isCounter })
      : point(first).value;
  const right =
    isSmoothed && last > window.from && (times[last] ?? 0) > window.endMs
      ? interpolate(point(last - 1), point(last), { timeMs: window.endMs, isCounter })
      : point(last).value;
  return { left, right };
}

/** What a range with exact ends grew by: no extrapolation. */
export function extendedRate(window: Window, { isCounter, isPerSecond }: RateKind): number | undefined {
  const { times, values } = window.series;
  const span = spanOf(times, window, window);
  if (span === null) return undefined;
  const { left, right } = endsOf(window, span, isCounter);
  let result = right - left;
  if (isCounter) {
    const first = (times[span.first] ?? 0) <= window.startMs ? span.first + 1 : span.first;
    const last = (times[span.last] ?? 0) >= window.endMs ? span.last - 1 : span.last;
    let previous = left;
    for (let index = first; index <= last; index++) {
      const value = values[index] ?? NaN;
      if (value < previous) result += previous;
      previous = value;
    }
    if (right < previous) result += previous;
  }
  return isPerSecond ? result / (window.rangeMs / 1000) : result;
}

/** The same for histograms. */
export function extendedHistogramRate(
  window: Window,
  { isCounter, isPerSecond }: RateKind,
): Histogram | undefined {
  const { histogramTimes: times, histograms } = window.series;
  const span = spanOf(times, { from: window.histogramFrom, to: window.histogramTo }, window);
  if (span === null) return undefined;
  const samples = histograms.slice(span.first, span.last + 1);
  const isCustomKind = samples[0] !== undefined && isCustom(samples[0]);
  if (samples.some((sample) => isCustom(sample) !== isCustomKind)) return warnMixedSchemas(window);
  if (isCounter && samples.some((sample) => sample.resetHint === "gauge")) warnNotCounter(window);
  const left = endHistogram(window, { span, isLeft: true, isCounter });
  const right = endHistogram(window, { span, isLeft: false, isCounter });
  if (left === undefined || right === undefined) return undefined;
  if (!isCounter && (left.resetHint !== "gauge" || right.resetHint !== "gauge")) warnNotGauge(window);
  const total = createHistogramSum(right);
  if (!addTelling(total, left, { window, sign: -1 })) return undefined;
  if (isCounter && !addResets(window, { span, left, right, total })) return undefined;
  const result: Histogram = { ...toHistogram(total), resetHint: "gauge" };
  return isPerSecond ? divide(result, window.rangeMs / 1000) : result;
}

function endHistogram(
  window: Window,
  { span, isLeft, isCounter }: { span: Span; isLeft: boolean; isCounter: boolean },
): Histogram | undefined {
  const { histogramTimes: times, histograms } = window.series;
  const at = isLeft ? span.first : span.last;
  const timeMs = isLeft ? window.startMs : window.endMs;
  const isOutside = isLeft
    ? (times[at] ?? 0) < timeMs && at < span.last
    : (times[at] ?? 0) > timeMs && at > window.histogramFrom;
  if (window.extension !== "smoothed" || !isOutside) return histograms[at];
  const before = isLeft ? at : at - 1;
  return interpolateHistograms(window, { before, timeMs, isCounter });
}

/** The histogram between one sample and the next. */
export function interpolateHistograms(
  window: Window,
  { before, timeMs, isCounter }: { before: number; timeMs: number; isCounter: boolean },
): Histogram | undefined {
  const { histogramTimes: times, histograms } = window.series;
  const [from, to] = [histograms[before], histograms[before + 1]];
  if (from === undefined || to === undefined) return undefined;
  const [fromMs, toMs] = [times[before] ?? 0, times[before + 1] ?? 0];
  if (timeMs === fromMs) return from;
  if (timeMs === toMs) return to;
  const share = (timeMs - fromMs) / (toMs - fromMs);
  if (isCounter && detectReset(to, from)) return multiply(to, share);
  const total = createHistogramSum(to);
  if (!addTelling(total, from, { window, sign: -1 })) return undefined;
  const grown = createHistogramSum(multiply(toHistogram(total), share));
  return addTelling(grown, from, { window, sign: 1 }) ? toHistogram(grown) : undefined;
}

interface Ends {
  span: Span;
  left: Histogram;
  right: Histogram;
  total: HistogramSum;
}

function addResets(window: Window, { span, left, right, total }: Ends): boolean {
  const { histogramTimes: times, histograms } = window.series;
  let first = span.first + 1;
  let previous = left;
  const [second, before] = [histograms[first], histograms[span.first]];
  const beginsBefore = window.extension === "smoothed" && (times[span.first] ?? 0) < window.startMs;
  if (beginsBefore && second !== undefined && before !== undefined && detectReset(second, before)) {
    previous = second;
    first += 1;
  }
  // With fewer than two samples within there is nothing between the ends.
  if (first > span.last) return true;
  for (const sample of histograms.slice(first, span.last)) {
    if (detectReset(sample, previous) && !addTelling(total, previous, { window, sign: 1 })) return false;
    previous = sample;
  }
  return !detectReset(right, previous) || addTelling(total, previous, { window, sign: 1 });
}
