import { multiply } from "../histograms/arithmetic.ts";
import { aggregate } from "./aggregate.ts";
import { evaluateBinary } from "./binary.ts";
import type { EvaluationBudget } from "./budget.ts";
import { findRange, rangeColumns } from "./call-range.ts";
import { evaluateCall } from "./call.ts";
import type { Evaluation } from "./evaluation.ts";
import { repeat } from "./merge.ts";
import type { Plan, SelectorPlan } from "./plan.ts";
import { QueryError } from "./query-error.ts";
import { instantColumns, selectInstant } from "./select.ts";
import { selectSmoothed } from "./smoothed.ts";
import { type Column, FLOAT, type Grid, sharedColumn, type Value } from "./values.ts";

/** The evaluation of plans, node by node, each over all steps of a grid at once. */
export function createEvaluation(context: Omit<Evaluation, "evaluate" | "inTurn">): Evaluation {
  const evaluation: Evaluation = {
    ...context,
    evaluate: (plan, grid) => evaluate(evaluation, plan, grid),
    inTurn: (plan, grid) => columnsInTurn(evaluation, plan, grid),
  };
  return evaluation;
}

/** Of what is read from the store no column is kept; anything else is evaluated as a whole. */
function columnsInTurn(evaluation: Evaluation, plan: Plan, grid: Grid): Iterable<Column> {
  const makeColumn = sharedColumn(grid.count);
  if (plan.kind === "selector" && plan.extension === null) {
    return instantColumns(evaluation, { selector: plan, grid, wanted: "value" }, makeColumn);
  }
  const range = plan.kind === "call" && plan.name !== "absent_over_time" ? findRange(plan.args) : undefined;
  if (plan.kind === "call" && range !== undefined) {
    return rangeColumns(evaluation, { call: plan, range, makeColumn }, grid);
  }
  const value = evaluation.evaluate(plan, grid);
  return value.type === "vector" ? value.columns : [];
}

function evaluate(evaluation: Evaluation, plan: Plan, grid: Grid): Value {
  evaluation.budget.addSamples(1);
  evaluation.budget.addSteps(grid.count);
  switch (plan.kind) {
    case "number":
      return { type: "scalar", values: new Float64Array(grid.count).fill(plan.value) };
    case "string":
      return { type: "string", value: plan.value };
    case "selector":
      return { type: "vector", columns: select(evaluation, plan, grid) };
    case "aggregate":
      return { type: "vector", columns: aggregate(evaluation, plan, grid) };
    case "binary":
      return evaluateBinary(evaluation, plan, grid);
    case "call":
      return evaluateCall(evaluation, plan, grid);
    case "unary":
      return negate(evaluation, evaluation.evaluate(plan.expr, grid), plan.operator);
    case "invariant":
      return repeatValue(evaluation.evaluate(plan.expr, { ...grid, count: 1 }), grid, evaluation);
    case "matrix":
    case "subquery":
      throw new QueryError("a range vector can only be the argument of a function");
  }
}

function select(evaluation: Evaluation, selector: SelectorPlan, grid: Grid): readonly Column[] {
  if (selector.extension === "anchored") {
    throw new QueryError("anchored modifier can only be used with range vectors");
  }
  return selector.extension === "smoothed"
    ? selectSmoothed(evaluation, selector, grid)
    : selectInstant(evaluation, { selector, grid });
}

function repeatValue(value: Value, { count }: Grid, { budget }: Evaluation): Value {
  if (count === 1 || value.type === "string") return value;
  if (value.type === "scalar") {
    return { type: "scalar", values: new Float64Array(count).fill(value.values[0] ?? NaN) };
  }
  budget.addSamples(value.columns.length * count);
  return { type: "vector", columns: value.columns.map((column) => repeat(column, count)) };
}

function negate({ budget }: Evaluation, value: Value, operator: "+" | "-"): Value {
  if (operator === "+" || value.type === "string") return value;
  if (value.type === "scalar") return { type: "scalar", values: value.values.map((each) => -each) };
  return { type: "vector", columns: value.columns.map((column) => negateColumn(budget, column)) };
}

function negateColumn(budget: EvaluationBudget, column: Column): Column {
  budget.addSteps(column.present.length);
  return {
    ...column,
    dropsName: true,
    values: column.values.map((value, step) => (column.present[step] === FLOAT ? -value : value)),
    histograms:
      column.histograms?.map((histogram) =>
        histogram === undefined ? undefined : multiply(histogram, -1),
      ) ?? null,
  };
}
