import { NO_BUCKETS, type Histogram } from "../../../histogram.ts";
import { isCustom } from "../../histograms/bounds.ts";
import { coarsen, createHistogramSum, toHistogram } from "../../histograms/histogram-sum.ts";
import { detectReset } from "../../histograms/resets.ts";
import { histogramsOf, type Window } from "../window.ts";
import { addTelling, warnMixedSchemas, warnNotCounter, warnNotGauge } from "./messages.ts";
import { isRestart, startedAt, warnOverlap } from "./start-times.ts";

/** What the samples of a window differ by, resets made up for; null when they cannot be compared. */
export function histogramIncrease(window: Window, isCounter: boolean): Histogram | null {
  const samples = histogramsOf(window);
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined) return null;
  tellKinds(window, samples, isCounter);
  const base = isCounter && isReset(window, samples, 1) ? emptyLike(samples[1] ?? first) : first;
  if (isCustom(last) !== isCustom(base)) return noIncrease(window);
  if (isCounter && samples.slice(1).some((sample) => isCustom(sample) !== isCustom(base))) {
    return noIncrease(window);
  }
  const total = createHistogramSum(last);
  // The coarsest schema counts for counters: what was lost at a reset is added in it.
  const schemas = isCounter ? samples.slice(1).map((sample) => sample.schema) : [last.schema];
  coarsen(total, Math.min(base.schema, ...schemas));
  if (!addTelling(total, base, { window, sign: -1 })) return null;
  if (isCounter && !addResets(window, { samples, base, total })) return null;
  return { ...toHistogram(total), resetHint: "gauge" };
}

function noIncrease(window: Window): null {
  warnMixedSchemas(window);
  return null;
}

function tellKinds(window: Window, samples: readonly Histogram[], isCounter: boolean): void {
  if (isCounter) {
    if (samples.some((sample) => sample.resetHint === "gauge")) warnNotCounter(window);
    return;
  }
  if (samples[0]?.resetHint !== "gauge" || samples.at(-1)?.resetHint !== "gauge") warnNotGauge(window);
}

function isReset(window: Window, samples: readonly Histogram[], index: number): boolean {
  const { series, histogramFrom } = window;
  const [previous, current] = [samples[index - 1], samples[index]];
  if (previous === undefined || current === undefined) return false;
  const starts = series.histogramStarts;
  if (starts !== null) {
    const at = histogramFrom + index;
    const before = startedAt(series.histogramTimes, starts, at - 1);
    const now = startedAt(series.histogramTimes, starts, at);
    if (isRestart(before, now)) return true;
  }
  return detectReset(current, previous);
}

interface Resets {
  samples: readonly Histogram[];
  base: Histogram;
  total: ReturnType<typeof createHistogramSum>;
}

function addResets(window: Window, { samples, base, total }: Resets): boolean {
  const { series, histogramFrom } = window;
  for (let index = 1; index < samples.length; index++) {
    const starts = series.histogramStarts;
    if (starts !== null) {
      const at = histogramFrom + index;
      const before = startedAt(series.histogramTimes, starts, at - 1);
      warnOverlap(window, before, startedAt(series.histogramTimes, starts, at));
    }
    const previous = index === 1 ? base : samples[index - 1];
    if (previous === undefined || !isReset(window, samples, index)) continue;
    if (!addTelling(total, previous, { window, sign: 1 })) return false;
  }
  return true;
}

/**
 * A counter that was reset before the second sample has
 * lost nothing since: its first sample counts for nothing.
 */
function emptyLike({ schema, customBounds }: Histogram): Histogram {
  return {
    schema,
    customBounds,
    count: 0,
    sum: 0,
    zeroThreshold: 0,
    zeroCount: 0,
    positive: NO_BUCKETS,
    negative: NO_BUCKETS,
    resetHint: "unknown",
  };
}
