import type { Look } from "./plan.ts";
import { firstAfter } from "./range-series.ts";
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
  readonly times: Float64Array;
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** What sliding over them is charged. */
  readonly cost: number;
}

export function createWindows(times: Float64Array, ranges: Ranges): Windows {
  const { look, grid, rangeMs, beforeMs, behindMs } = ranges;
  const from = new Int32Array(grid.count);
  const to = new Int32Array(grid.count);
  let cost = 0;
  let first = 0;
  let end = 0;
  for (let step = 0; step < grid.count; step++) {
    const endMs = lookAt(look, grid, step);
    first = firstAfter(times, endMs - rangeMs - beforeMs, first);
    end = firstAfter(times, endMs + behindMs, Math.max(end, first));
    from[step] = first;
    to[step] = end;
    cost += costOf(end - first);
  }
  return { times, from, to, cost };
}

/** What a window of that many samples is charged. */
export function costOf(samples: number): number {
  return samples === 0 ? 0 : 1 + (samples >> 3);
}

/** Makes it once for series that come with the same object of times, one after the other. */
export function oncePerTimes<Made>(make: (times: Float64Array) => Made): (times: Float64Array) => Made {
  let last: { times: Float64Array; made: Made } | null = null;
  return (times) => {
    if (last?.times !== times) last = { times, made: make(times) };
    return last.made;
  };
}
