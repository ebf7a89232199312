import type { EvaluationBudget } from "../budget.ts";
import type { RangeSeries } from "../range-series.ts";
import { type Column, FLOAT, lookAt } from "../values.ts";
import type { Ranges, Windows } from "../windows.ts";
import { gapMs, raiseBy, sumResets } from "./rate.ts";
import type { RateKind } from "./rate-kind.ts";

/** For each step, what a rate owes to the times alone: the same for all series of one target. */
interface Factors {
  times: Float64Array;
  readonly sampledMs: Float64Array;
  readonly toStartMs: Float64Array;
  readonly toEndMs: Float64Array;
  /** By what the difference of the samples is multiplied, unless a counter would have been below 0. */
  readonly factors: Float64Array;
  /** A rate is divided by it. */
  readonly unit: number;
}

/** The same as `floatRate` for all steps at once. */
export function createRateFill(
  kind: RateKind,
  ranges: Ranges,
  budget: EvaluationBudget,
): (column: Column, series: RangeSeries, windows: Windows) => void {
  const factors = createFactors(ranges.grid.count, kind.isPerSecond ? ranges.rangeMs / 1000 : 1);
  return (column, series, windows) => {
    budget.addSamples(windows.cost);
    if (factors.times !== windows.times) {
      fillFactors(factors, windows, ranges);
      budget.addSteps(ranges.grid.count);
    }
    if (kind.isCounter) fillCounter(column, series, { windows, factors });
    else fillGauge(column, series, { windows, factors });
  };
}

function createFactors(steps: number, unit: number): Factors {
  const column = () => new Float64Array(steps);
  const columns = { sampledMs: column(), toStartMs: column(), toEndMs: column(), factors: column() };
  return { times: new Float64Array(0), ...columns, unit };
}

function fillFactors(factors: Factors, windows: Windows, { look, grid, rangeMs }: Ranges): void {
  const { times, from, to } = windows;
  for (let step = 0; step < from.length; step++) {
    const first = from[step] ?? 0;
    const last = (to[step] ?? 0) - 1;
    if (last <= first) continue;
    const endMs = lookAt(look, grid, step);
    const firstMs = times[first] ?? 0;
    const lastMs = times[last] ?? 0;
    const sampledMs = lastMs - firstMs;
    const meanMs = sampledMs / (last - first);
    const toStartMs = gapMs(firstMs - (endMs - rangeMs), meanMs);
    const toEndMs = gapMs(endMs - lastMs, meanMs);
    factors.sampledMs[step] = sampledMs;
    factors.toStartMs[step] = toStartMs;
    factors.toEndMs[step] = toEndMs;
    factors.factors[step] = raiseBy({ sampledMs, toStartMs, toEndMs }) / factors.unit;
  }
  factors.times = times;
}

interface Slid {
  windows: Windows;
  factors: Factors;
}

function fillGauge(
  { present, values: results }: Column,
  { values }: RangeSeries,
  { windows: { from, to }, factors: { factors } }: Slid,
): void {
  for (let step = 0; step < results.length; step++) {
    const first = from[step] ?? 0;
    const last = (to[step] ?? 0) - 1;
    if (last <= first) continue;
    present[step] = FLOAT;
    results[step] = ((values[last] ?? NaN) - (values[first] ?? NaN)) * (factors[step] ?? NaN);
  }
}

function fillCounter(
  { present, values: results }: Column,
  series: RangeSeries,
  { windows: { from, to }, factors: { sampledMs, toStartMs, toEndMs, factors, unit } }: Slid,
): void {
  const { values } = series;
  const lost = hasReset(values) ? sumResets(series) : null;
  for (let step = 0; step < results.length; step++) {
    const first = from[step] ?? 0;
    const last = (to[step] ?? 0) - 1;
    if (last <= first) continue;
    const start = values[first] ?? NaN;
    const lostHere = lost === null ? 0 : (lost[last] ?? 0) - (lost[first] ?? 0);
    const difference = (values[last] ?? NaN) - start + lostHere;
    let factor = factors[step] ?? NaN;
    if (difference > 0 && start >= 0) {
      const sampled = sampledMs[step] ?? 0;
      const toZeroMs = sampled * (start / difference);
      if (toZeroMs < (toStartMs[step] ?? 0)) {
        const reach = { sampledMs: sampled, toStartMs: toZeroMs, toEndMs: toEndMs[step] ?? 0 };
        factor = raiseBy(reach) / unit;
      }
    }
    present[step] = FLOAT;
    results[step] = difference * factor;
  }
}

function hasReset(values: Float64Array): boolean {
  for (let index = 1; index < values.length; index++) {
    if ((values[index] ?? NaN) < (values[index - 1] ?? NaN)) return true;
  }
  return false;
}
