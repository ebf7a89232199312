import type { Histogram } from "../../histogram.ts";
import type { Labels } from "../../labels.ts";
import { isStaleAt } from "../../stale.ts";
import type { Series } from "../../storage.ts";
import { type EvaluationBudget, pace } from "./budget.ts";
import { type Column, FLOAT, type Grid, HISTOGRAM, timeAt } from "./values.ts";

/**
 * The samples of one series in columns, without staleness markers: what functions over ranges slide along.
 */
export interface RangeSeries {
  readonly labels: Labels;
  readonly dropsName: boolean;
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly starts: Float64Array | null;
  /** How many samples each value is the mean of; null when each is one. */
  readonly counts: Float64Array | null;
  readonly histogramTimes: Float64Array;
  readonly histograms: readonly Histogram[];
  readonly histogramStarts: Float64Array | null;
}

const NO_NUMBERS = new Float64Array(0);

/** A range has no markers: what ended a series is no sample. */
export function fromStorage({ labels, floats, histograms }: Series): RangeSeries {
  const { timestampsMs, values, startTimestampsMs, counts } = floats;
  const kept = withoutMarkers(values);
  const keptOf = (column: Float64Array) => (kept === null ? column : pick(column, kept));
  return {
    labels,
    dropsName: false,
    times: keptOf(timestampsMs),
    values: keptOf(values),
    starts: startTimestampsMs === undefined ? null : keptOf(startTimestampsMs),
    counts: counts === undefined ? null : keptOf(counts),
    histogramTimes: histograms?.timestampsMs ?? NO_NUMBERS,
    histograms: histograms?.values ?? [],
    histogramStarts: histograms?.startTimestampsMs ?? null,
  };
}

/** Indexes of what is no marker; null when all of it is none. */
function withoutMarkers(values: Float64Array): Int32Array | null {
  let hasMarker = false;
  for (let index = 0; index < values.length && !hasMarker; index++) {
    const value = values[index];
    if (value !== value) hasMarker = isStaleAt(values, index);
  }
  if (!hasMarker) return null;
  const kept: number[] = [];
  for (let index = 0; index < values.length; index++) if (!isStaleAt(values, index)) kept.push(index);
  return Int32Array.from(kept);
}

function pick(values: Float64Array, indexes: Int32Array): Float64Array {
  const picked = new Float64Array(indexes.length);
  for (let at = 0; at < indexes.length; at++) picked[at] = values[indexes[at] ?? 0] ?? NaN;
  return picked;
}

/** The steps of a subquery as samples. */
export function fromColumn(column: Column, grid: Grid, budget: EvaluationBudget): RangeSeries {
  const { present, values, labels, dropsName } = column;
  // Of millions of steps, a plain array would fill the heap.
  const floatSteps = new Int32Array(present.length);
  const histogramSteps: number[] = [];
  let count = 0;
  for (let step = 0; step < present.length; step++) {
    pace(budget, step);
    if (present[step] === FLOAT) floatSteps[count++] = step;
    else if (present[step] === HISTOGRAM) histogramSteps.push(step);
  }
  const floats = floatSteps.subarray(0, count);
  return {
    labels,
    dropsName,
    times: timesAt(grid, floats, budget),
    values: valuesAt(values, floats, budget),
    starts: null,
    counts: null,
    histogramTimes: Float64Array.from(histogramSteps, (step) => timeAt(grid, step)),
    histograms: histogramSteps.flatMap((step) => column.histograms?.[step] ?? []),
    histogramStarts: null,
  };
}

function timesAt(grid: Grid, steps: Int32Array, budget: EvaluationBudget): Float64Array {
  const times = new Float64Array(steps.length);
  for (let at = 0; at < steps.length; at++) {
    pace(budget, at);
    times[at] = timeAt(grid, steps[at] ?? 0);
  }
  return times;
}

function valuesAt(values: Float64Array, steps: Int32Array, budget: EvaluationBudget): Float64Array {
  // Of most subqueries every step has a value.
  if (steps.length === values.length) return values.slice();
  budget.addSteps(steps.length);
  return pick(values, steps);
}

/** The first index whose time is greater, searched from an index on. */
export function firstAfter(times: Float64Array, timeMs: number, from: number): number {
  let index = from;
  // Steps are mostly near each other; far jumps are halved.
  const near = Math.min(times.length, index + 16);
  while (index < near && (times[index] ?? 0) <= timeMs) index += 1;
  if (index < near || index === times.length) return index;
  let [low, high] = [index, times.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? 0) <= timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
