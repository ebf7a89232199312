import { quantileOf } from "../quantile.ts";
import { createFloatAggregate, type FloatAggregate, type FloatOperator } from "./aggregate-floats.ts";
import { aggregateHistograms } from "./aggregate-histograms.ts";
import { aggregateK } from "./aggregate-k.ts";
import { countValues } from "./count-values.ts";
import type { Evaluation } from "./evaluation.ts";
import { createGroups, groupColumns } from "./grouping.ts";
import { warnQuantile } from "./histogram-functions.ts";
import { copyColumn } from "./merge.ts";
import type { AggregatePlan, Plan } from "./plan.ts";
import { QueryError } from "./query-error.ts";
import {
  type Column,
  createColumn,
  FLOAT,
  type Grid,
  hasSamples,
  HISTOGRAM,
  type MutableColumn,
  setFloat,
} from "./values.ts";

/** An aggregation over all steps. */
export function aggregate(evaluation: Evaluation, plan: AggregatePlan, grid: Grid): readonly Column[] {
  switch (plan.operator) {
    case "topk":
    case "bottomk":
    case "limitk":
    case "limit_ratio":
      return aggregateK(evaluation, { plan, ...inputOf(evaluation, plan, grid) }, grid);
    case "count_values":
      return countValues(evaluation, { plan, columns: columnsOf(evaluation, plan, grid) }, grid);
    case "quantile":
      return quantile(evaluation, { plan, ...inputOf(evaluation, plan, grid) }, grid);
    default:
      return aggregateInTurn(evaluation, { plan, operator: plan.operator }, grid);
  }
}

function columnsOf(evaluation: Evaluation, plan: AggregatePlan, grid: Grid): readonly Column[] {
  const input = evaluation.evaluate(plan.expr, grid);
  const columns = input.type === "vector" ? input.columns : [];
  evaluation.budget.addSamples(columns.length + grid.count);
  return columns;
}

function inputOf(evaluation: Evaluation, plan: AggregatePlan, grid: Grid) {
  const columns = columnsOf(evaluation, plan, grid);
  return { columns, parameter: parameterOf(evaluation, plan.parameter, grid) };
}

interface Group {
  result: MutableColumn;
  floats: FloatAggregate;
  /** Columns in which there are histograms. */
  others: Column[];
}

/** Adds each column to its group as it comes, and keeps none: what is aggregated may be large. */
function aggregateInTurn(
  evaluation: Evaluation,
  { plan, operator }: { plan: AggregatePlan; operator: FloatOperator },
  grid: Grid,
): Column[] {
  const groups = createGroups<Group>(plan, (labels) => {
    const result = createColumn(labels, grid.count, false);
    return { result, floats: createFloatAggregate(operator, result), others: [] };
  });
  let count = 0;
  for (const column of evaluation.inTurn(plan.expr, grid)) {
    const { result, floats, others } = groups.of(column.labels);
    evaluation.budget.addSteps(grid.count);
    floats.add(column);
    if (column.dropsName) result.dropsName = true;
    if (column.histograms !== null) others.push(copyColumn(column));
    count += 1;
  }
  evaluation.budget.addSamples(count + grid.count);
  const results = groups.all().map(({ result, floats, others }) => {
    floats.finish();
    const { position } = plan.expr;
    if (others.length > 0) aggregateHistograms(evaluation, { result, columns: others, operator, position });
    return result;
  });
  return results.filter(hasSamples);
}

function parameterOf(evaluation: Evaluation, plan: Plan | null, grid: Grid): Float64Array {
  const value = plan === null ? null : evaluation.evaluate(plan, grid);
  if (value?.type !== "scalar") throw new QueryError("the parameter of an aggregation is no scalar");
  return value.values;
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
        evaluation.budget.addSteps(group.columns.length);
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
