import type { Histogram } from "../../../histogram.ts";
import { equalHistograms } from "../../histograms/arithmetic.ts";
import { detectReset } from "../../histograms/resets.ts";
import { histogramCount, type RangeFunction, type Window } from "../window.ts";
import { isRestart } from "./start-times.ts";

interface Sample {
  timeMs: number;
  startMs: number;
  value: number | Histogram;
}

/**
 * The samples of both kinds in the order of their times;
 * an anchored range begins with the last one before it.
 */
function samplesOf(window: Window): Sample[] {
  const { series, from, to, histogramFrom, histogramTo, extension, startMs } = window;
  const samples: Sample[] = [];
  for (let at = from; at < to; at++) {
    samples.push({
      timeMs: series.times[at] ?? 0,
      startMs: series.starts?.[at] ?? 0,
      value: series.values[at] ?? NaN,
    });
  }
  for (let at = histogramFrom; at < histogramTo; at++) {
    const value = series.histograms[at];
    if (value === undefined) continue;
    samples.push({
      timeMs: series.histogramTimes[at] ?? 0,
      startMs: series.histogramStarts?.[at] ?? 0,
      value,
    });
  }
  if (histogramTo > histogramFrom && to > from) samples.sort((a, b) => a.timeMs - b.timeMs);
  if (extension !== "anchored") return samples;
  const anchor = samples.findLastIndex((sample) => sample.timeMs <= startMs);
  if (anchor === samples.length - 1) return [];
  return samples.slice(Math.max(0, anchor));
}

/** Of neighbours in a window of floats alone, without an object for each of them. */
type CountFloats = (values: Float64Array, from: number, to: number) => number;

function countPairs(
  isCounted: (previous: Sample, current: Sample) => boolean,
  countFloats: CountFloats,
): RangeFunction {
  return (window) => {
    const { series, from, to, extension } = window;
    const isPlain = extension === null && series.starts === null && histogramCount(window) === 0;
    if (isPlain) return to > from ? countFloats(series.values, from, to) : undefined;
    const samples = samplesOf(window);
    if (samples.length === 0) return undefined;
    let count = 0;
    samples.reduce((previous, current) => {
      if (isCounted(previous, current)) count += 1;
      return current;
    });
    return count;
  };
}

const isChange = ({ value: before }: Sample, { value: now }: Sample): boolean => {
  if (typeof before === "number" && typeof now === "number")
    return before !== now && !(Number.isNaN(before) && Number.isNaN(now));
  if (typeof before === "number" || typeof now === "number") return true;
  return !equalHistograms(before, now);
};

const isReset = (previous: Sample, current: Sample): boolean => {
  const [before, now] = [previous.value, current.value];
  if (typeof before === "number" && typeof now === "number")
    return now < before || isRestart(previous, current);
  if (typeof before === "number" || typeof now === "number") return true;
  return isRestart(previous, current) || detectReset(now, before);
};

function countChanges(values: Float64Array, from: number, to: number): number {
  let count = 0;
  for (let at = from + 1; at < to; at++) {
    const [before, now] = [values[at - 1] ?? NaN, values[at] ?? NaN];
    if (before !== now && !(before !== before && now !== now)) count += 1;
  }
  return count;
}

function countResets(values: Float64Array, from: number, to: number): number {
  let count = 0;
  for (let at = from + 1; at < to; at++) if ((values[at] ?? NaN) < (values[at - 1] ?? NaN)) count += 1;
  return count;
}

export const changes = countPairs(isChange, countChanges);
export const resets = countPairs(isReset, countResets);
