import type { EvaluationBudget } from "../budget.ts";
import { createCharge } from "../charge.ts";
import type { RangeSeries } from "../range-series.ts";
import { type Column, FLOAT } from "../values.ts";
import { costOf, type Ranges, type Windows } from "../windows.ts";
import { FLOATS_OVER_TIME, type OfFloats } from "./over-time.ts";
import { createRateFill } from "./rate-fill.ts";
import { RATE_KINDS } from "./rate-kind.ts";

/**
 * Fills a column from a series of floats alone, all steps in one loop along arrays: what most series are,
 * and what the functions that most queries use are made for.
 */
export type FloatFill = (column: Column, series: RangeSeries, windows: Windows) => void;

/** Null for the functions that have nothing of their own for floats. */
export function createFloatFill(name: string, ranges: Ranges, budget: EvaluationBudget): FloatFill | null {
  const kind = RATE_KINDS.get(name);
  if (kind !== undefined) return createRateFill(kind, ranges, budget);
  const calculate = FLOATS_OVER_TIME.get(name);
  return calculate === undefined ? null : (...task) => fill(calculate, budget, task);
}

function fill(
  calculate: OfFloats,
  budget: EvaluationBudget,
  [{ present, values: results }, { values }, { from, to }]: Parameters<FloatFill>,
): void {
  const charge = createCharge(budget);
  for (let step = 0; step < results.length; step++) {
    const first = from[step] ?? 0;
    const end = to[step] ?? 0;
    if (end === first) continue;
    charge.add(costOf(end - first));
    present[step] = FLOAT;
    results[step] = calculate(values, first, end);
  }
  charge.finish();
}
