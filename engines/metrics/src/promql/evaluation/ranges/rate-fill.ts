import type { QueryBudget } from "../../../storage.ts";
import type { RangeSeries } from "../range-series.ts";
import { type Column, FLOAT, lookAt } from "../values.ts";
import type { Ranges, Windows } from "../windows.ts";
import { gapMs, raiseBy, sumResets } from "./rate.ts";
import type { RateKind } from "./rate-kind.ts";

/** For each step, what a rate owes to the times alone: the same for all series of one target. */
interface Factors {
  windows: Windows;
  sampledMs: Float64Array;
  toStartMs: Float64Array;
  toEndMs: Float64Array;
  /** By what the difference of the samples is multiplied, unless a counter would have been below 0. */
  factors: Float64Array;
}

/** The same as `floatRate` for all steps at once. */
export function createRateFill(
  kind: RateKind,
  ranges: Ranges,
  budget: QueryBudget,
): (column: Column, series: RangeSeries, windows: Windows) => void {
  const unit = kind.isPerSecond ? ranges.rangeMs / 1000 : 1;
  let known: Factors | null = null;
  return (column, series, windows) => {
    budget.addSamples(windows.cost);
    if (known?.windows !== windows) known = createFactors(windows, ranges, unit);
    if (kind.isCounter) fillCounter(column, series, { ...known, unit });
    else fillGauge(column, series, known);
  };
}

function createFactors(windows: Windows, { look, grid, rangeMs }: Ranges, unit: number): Factors {
  const column = () => new Float64Array(grid.count);
  const [sampledMs, toStartMs, toEndMs, factors] = [column(), column(), column(), column()];
  const { times, from, to } = windows;
  for (let step = 0; step < grid.count; step++) {
    const first = from[step] ?? 0;
    const last = (to[step] ?? 0) - 1;
    if (last <= first) continue;
    const endMs = lookAt(look, grid, step);
    const [firstMs, lastMs] = [times[first] ?? 0, times[last] ?? 0];
    const meanMs = (lastMs - firstMs) / (last - first);
    const reach = {
      sampledMs: lastMs - firstMs,
      toStartMs: gapMs(firstMs - (endMs - rangeMs), meanMs),
      toEndMs: gapMs(endMs - lastMs, meanMs),
    };
    sampledMs[step] = reach.sampledMs;
    toStartMs[step] = reach.toStartMs;
    toEndMs[step] = reach.toEndMs;
    factors[step] = raiseBy(reach) / unit;
  }
  return { windows, sampledMs, toStartMs, toEndMs, factors };
}

function fillGauge(
  { present, values: results }: Column,
  { values }: RangeSeries,
  { windows, factors }: Factors,
): void {
  const { from, to } = windows;
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
  { windows, sampledMs, toStartMs, toEndMs, factors, unit }: Factors & { unit: number },
): void {
  const { from, to } = windows;
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
