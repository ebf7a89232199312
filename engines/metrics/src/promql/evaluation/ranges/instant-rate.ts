import type { Histogram } from "../../../histogram.ts";
import { divide } from "../../histograms/arithmetic.ts";
import { createHistogramSum, toHistogram } from "../../histograms/histogram-sum.ts";
import { detectReset } from "../../histograms/resets.ts";
import type { RangeFunction, Window } from "../window.ts";
import { addTelling, warnMixed, warnNotCounter, warnNotGauge } from "./messages.ts";
import { isRestart } from "./start-times.ts";

interface Sample {
  timeMs: number;
  startMs: number;
  value: number | Histogram;
}

export const irate: RangeFunction = (window) => ofLastTwo(window, true);
export const idelta: RangeFunction = (window) => ofLastTwo(window, false);

function ofLastTwo(window: Window, isRate: boolean): number | Histogram | undefined {
  const [previous, current] = lastTwo(window);
  if (previous === undefined || current === undefined) return undefined;
  const seconds = (current.timeMs - previous.timeMs) / 1000;
  if (seconds === 0) return undefined;
  const [before, now] = [previous.value, current.value];
  const isStart = isRate && isRestart(previous, current);
  if (typeof before === "number" && typeof now === "number") {
    const change = isRate && (now < before || isStart) ? now : now - before;
    return isRate ? change / seconds : change;
  }
  if (typeof before === "number" || typeof now === "number") return warnMixed(window);
  const hints = [before.resetHint, now.resetHint];
  if (isRate && hints.includes("gauge")) warnNotCounter(window);
  if (!isRate && hints.some((hint) => hint !== "gauge")) warnNotGauge(window);
  const total = createHistogramSum(now);
  const isReset = isRate && (isStart || detectReset(now, before));
  if (!isReset && !addTelling(total, before, { window, sign: -1 })) return undefined;
  const change: Histogram = { ...toHistogram(total), resetHint: "gauge" };
  return isRate ? divide(change, seconds) : change;
}

function lastTwo({ series, from, to, histogramFrom, histogramTo }: Window): Sample[] {
  const samples: Sample[] = [];
  for (let at = Math.max(from, to - 2); at < to; at++) {
    const startMs = series.starts?.[at] ?? 0;
    samples.push({ timeMs: series.times[at] ?? 0, startMs, value: series.values[at] ?? NaN });
  }
  for (let at = Math.max(histogramFrom, histogramTo - 2); at < histogramTo; at++) {
    const value = series.histograms[at];
    const startMs = series.histogramStarts?.[at] ?? 0;
    if (value !== undefined) samples.push({ timeMs: series.histogramTimes[at] ?? 0, startMs, value });
  }
  return samples.toSorted((a, b) => a.timeMs - b.timeMs).slice(-2);
}
