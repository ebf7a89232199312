import { quantileOf } from "../quantile.ts";
import { aggregateFloats, type FloatOperator } from "./aggregate-floats.ts";
import { aggregateHistograms } from "./aggregate-histograms.ts";
import { aggregateK } from "./aggregate-k.ts";
import { countValues } from "./count-values.ts";
import type { Evaluation } from "./evaluation.ts";
import { type ColumnGroup, groupColumns } from "./grouping.ts";
import { warnQuantile } from "./histogram-functions.ts";
import type { AggregatePlan, Plan } from "./plan.ts";
import { QueryError } from "./query-error.ts";
import { type Column, createColumn, FLOAT, type Grid, hasSamples, HISTOGRAM, setFloat } from "./values.ts";

/** An aggregation over all steps. */
export function aggregate(evaluation: Evaluation, plan: AggregatePlan, grid: Grid): readonly Column[] {
  const input = evaluation.evaluate(plan.expr, grid);
  const columns = input.type === "vector" ? input.columns : [];
  evaluation.budget.addSamples(columns.length + grid.count);
  switch (plan.operator) {
    case "topk":
    case "bottomk":
    case "limitk":
    case "limit_ratio":
      return aggregateK(
        evaluation,
        { plan, columns, parameter: parameterOf(evaluation, plan.parameter, grid) },
        grid,
      );
    case "count_values":
      return countValues({ plan, columns }, grid);
    case "quantile":
      return quantile(
        evaluation,
        { plan, columns, parameter: parameterOf(evaluation, plan.parameter, grid) },
        grid,
      );
    default: {
      const { operator } = plan;
      const groups = groupColumns(columns, plan);
      return groups
        .map((group) => aggregateGroup(evaluation, { plan, group, operator }, grid))
        .filter(hasSamples);
    }
  }
}

function parameterOf(evaluation: Evaluation, plan: Plan | null, grid: Grid): Float64Array {
  const value = plan === null ? null : evaluation.evaluate(plan, grid);
  if (value?.type !== "scalar") throw new QueryError("the parameter of an aggregation is no scalar");
  return value.values;
}

interface GroupTask {
  plan: AggregatePlan;
  group: ColumnGroup;
  operator: FloatOperator;
}

function aggregateGroup(evaluation: Evaluation, { plan, group, operator }: GroupTask, grid: Grid): Column {
  const dropsName = group.columns.some((column) => column.dropsName);
  const result = createColumn(group.labels, grid.count, dropsName);
  if (group.columns.every((column) => column.histograms === null)) {
    aggregateFloats(result, group.columns, operator);
    return result;
  }
  aggregateHistograms(evaluation, { result, columns: group.columns, operator, position: plan.expr.position });
  return result;
}

interface QuantileTask {
  plan: AggregatePlan;
  columns: readonly Column[];
  parameter: Float64Array;
}

function quantile(evaluation: Evaluation, { plan, columns, parameter }: QuantileTask, grid: Grid): Column[] {
  const { position } = plan.parameter ?? plan;
  if (columns.length > 0) for (const q of parameter) warnQuantile(evaluation, q, position);
  return groupColumns(columns, plan)
    .map((group) => {
      const dropsName = group.columns.some((column) => column.dropsName);
      const result = createColumn(group.labels, grid.count, dropsName);
      const values = new Float64Array(group.columns.length);
      for (let step = 0; step < grid.count; step++) {
        let count = 0;
        for (const { present, values: floats } of group.columns) {
          if (present[step] === FLOAT) values[count++] = floats[step] ?? NaN;
          else if (present[step] === HISTOGRAM) informIgnored(evaluation, plan);
        }
        if (count > 0) setFloat(result, step, quantileOf(parameter[step] ?? NaN, values.slice(0, count)));
      }
      return result;
    })
    .filter(hasSamples);
}

function informIgnored({ annotations }: Evaluation, { operator, expr }: AggregatePlan): void {
  annotations.inform(`ignored histogram in ${operator} aggregation`, expr.position);
}
