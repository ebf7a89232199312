import { formatHistogram } from "../histograms/text.ts";
import { formatPlain } from "../numbers.ts";
import { isValidLabelName, quote } from "../syntax/literals.ts";
import { pace } from "./budget.ts";
import type { Evaluation } from "./evaluation.ts";
import { createGrouper } from "./grouping.ts";
import { withLabel } from "./merge.ts";
import type { AggregatePlan } from "./plan.ts";
import { QueryError } from "./query-error.ts";
import { ABSENT, type Column, createColumn, type Grid, histogramAt, setFloat } from "./values.ts";

/** How often each value occurs in a group; the value becomes a label. */
export function countValues(
  { budget }: Evaluation,
  { plan, columns }: { plan: AggregatePlan; columns: readonly Column[] },
  grid: Grid,
): Column[] {
  const label = plan.parameter?.kind === "string" ? plan.parameter.value : "";
  if (!isValidLabelName(label)) throw new QueryError(`invalid label name ${quote(label)}`);
  const grouping = plan.isWithout ? plan.grouping : [...plan.grouping, label];
  const group = createGrouper({ grouping, isWithout: plan.isWithout });
  const results = new Map<string, Column>();
  for (const column of columns) {
    budget.addSteps(grid.count);
    for (let step = 0; step < grid.count; step++) {
      pace(budget, step);
      if (column.present[step] === ABSENT) continue;
      const histogram = histogramAt(column, step);
      const text =
        histogram === undefined ? formatPlain(column.values[step] ?? NaN) : formatHistogram(histogram);
      const labels = group(withLabel(column.labels, label, text));
      const result = results.get(labels.key) ?? createColumn(labels, grid.count, column.dropsName);
      results.set(labels.key, result);
      setFloat(result, step, (result.values[step] ?? 0) + 1);
    }
  }
  return [...results.values()];
}
