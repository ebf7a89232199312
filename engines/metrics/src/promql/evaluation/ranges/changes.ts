import type { Histogram } from "../../../histogram.ts";
import { equalHistograms } from "../../histograms/arithmetic.ts";
import { detectReset } from "../../histograms/resets.ts";
import type { RangeFunction, Window } from "../window.ts";
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

function countPairs(isCounted: (previous: Sample, current: Sample) => boolean): RangeFunction {
  return (window) => {
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

export const changes = countPairs(isChange);
export const resets = countPairs(isReset);
