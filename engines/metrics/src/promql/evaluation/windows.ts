import type { Look } from "./plan.ts";
import { type Grid, lookAt } from "./values.ts";

/** Where the ranges of all steps lie. */
export interface Ranges {
  readonly look: Look;
  readonly grid: Grid;
  readonly rangeMs: number;
  /** How far beyond its ends a range reads samples. */
  readonly beforeMs: number;
  readonly behindMs: number;
}

/** Which samples the range of each step holds: from `from` on, `to` excluded. */
export interface Windows {
  /** What they are of: another object whenever their content is another. */
  times: Float64Array;
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** What sliding over them is charged. */
  cost: number;
}

/**
 * The windows of one series after the other: one object, filled anew only when
 * other times come. Series of one target come with the same object of times.
 */
export function createWindows(ranges: Ranges): (times: Float64Array) => Windows {
  const steps = ranges.grid.count;
  const windows = {
    times: new Float64Array(0),
    from: new Int32Array(steps),
    to: new Int32Array(steps),
    cost: 0,
  };
  return (times) => {
    if (windows.times !== times) fill(windows, times, ranges);
    return windows;
  };
}

function fill(windows: Windows, times: Float64Array, ranges: Ranges): void {
  const { look, grid, rangeMs, beforeMs, behindMs } = ranges;
  const { from, to } = windows;
  let cost = 0;
  let first = 0;
  let end = 0;
  for (let step = 0; step < from.length; step++) {
    const endMs = lookAt(look, grid, step);
    const fromMs = endMs - rangeMs - beforeMs;
    const toMs = endMs + behindMs;
    while (first < times.length && (times[first] ?? 0) <= fromMs) first += 1;
    while (end < times.length && (times[end] ?? 0) <= toMs) end += 1;
    from[step] = first;
    to[step] = end;
    cost += costOf(end - first);
  }
  windows.times = times;
  windows.cost = cost;
}

/** What a window of that many samples is charged. */
export function costOf(samples: number): number {
  return samples === 0 ? 0 : 1 + (samples >> 3);
}
