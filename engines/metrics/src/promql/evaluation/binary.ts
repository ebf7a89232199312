import { isComparison, isSetOperator } from "../syntax/ast.ts";
import { combineSets } from "./binary-sets.ts";
import { combineValues, floatArithmetic, floatComparison, type Telling } from "./binary-values.ts";
import { combineVectors } from "./binary-vectors.ts";
import { type EvaluationBudget, pace } from "./budget.ts";
import type { Evaluation } from "./evaluation.ts";
import type { BinaryPlan } from "./plan.ts";
import { QueryError } from "./query-error.ts";
import {
  ABSENT,
  type Column,
  createColumn,
  FLOAT,
  type Grid,
  hasSamples,
  histogramAt,
  setFloat,
  setHistogram,
  type Value,
} from "./values.ts";

const DEFAULT_MATCHING = {
  cardinality: "one-to-one",
  isOn: false,
  labels: [],
  include: [],
  fillLeft: null,
  fillRight: null,
} as const;

/** An operator between scalars, vectors, or one of each. */
export function evaluateBinary(evaluation: Evaluation, plan: BinaryPlan, grid: Grid): Value {
  const left = evaluation.evaluate(plan.left, grid);
  const right = evaluation.evaluate(plan.right, grid);
  if (left.type === "string" || right.type === "string") throw new QueryError("a string is no operand");
  if (left.type === "scalar" && right.type === "scalar") {
    return { type: "scalar", values: combineScalars(evaluation, plan, [left.values, right.values]) };
  }
  if (left.type === "vector" && right.type === "vector") {
    const matching = plan.matching ?? DEFAULT_MATCHING;
    const sides = { left: left.columns, right: right.columns };
    const columns = isSetOperator(plan.operator)
      ? combineSets(evaluation, { operator: plan.operator, ...sides, matching }, grid)
      : combineVectors(evaluation, { plan, matching, sides }, grid);
    return { type: "vector", columns };
  }
  if (left.type === "vector" && right.type === "scalar") {
    return {
      type: "vector",
      columns: withScalar(evaluation, { plan, columns: left.columns, scalars: right.values, isLeft: false }),
    };
  }
  if (left.type === "scalar" && right.type === "vector") {
    return {
      type: "vector",
      columns: withScalar(evaluation, { plan, columns: right.columns, scalars: left.values, isLeft: true }),
    };
  }
  throw new QueryError(`operator ${plan.operator} is not defined here`);
}

function combineScalars(
  { budget }: Evaluation,
  { operator }: BinaryPlan,
  [left, right]: [Float64Array, Float64Array],
): Float64Array {
  const comparison = floatComparison(operator);
  const combine = floatArithmetic(operator) ?? ((a: number, b: number) => Number(comparison?.(a, b) ?? NaN));
  const combined = new Float64Array(left.length);
  for (let step = 0; step < combined.length; step++) {
    combined[step] = combine(left[step] ?? NaN, right[step] ?? NaN);
    pace(budget, step);
  }
  return combined;
}

interface WithScalar {
  plan: BinaryPlan;
  columns: readonly Column[];
  scalars: Float64Array;
  /** The scalar stands on the left. */
  isLeft: boolean;
}

function withScalar({ annotations, budget }: Evaluation, task: WithScalar): Column[] {
  const { plan, columns } = task;
  const telling: Telling = { annotations, position: plan.position };
  return columns
    .map((column) => {
      budget.addSamples(column.present.length);
      return combineColumn(column, task, { telling, budget });
    })
    .filter(hasSamples);
}

function combineColumn(
  column: Column,
  { plan, scalars, isLeft }: WithScalar,
  { telling, budget }: { telling: Telling; budget: EvaluationBudget },
): Column {
  const { operator, returnsBool } = plan;
  // A trimmed histogram is still the same metric.
  const isRenamed = returnsBool || !(isComparison(operator) || operator === "</" || operator === ">/");
  const result = createColumn(column.labels, column.present.length, column.dropsName || isRenamed);
  const arithmetic = floatArithmetic(operator);
  for (let step = 0; step < column.present.length; step++) {
    pace(budget, step);
    if (column.present[step] === ABSENT) continue;
    const scalar = scalars[step] ?? NaN;
    const value = column.values[step] ?? NaN;
    if (arithmetic !== null && column.present[step] === FLOAT) {
      setFloat(result, step, isLeft ? arithmetic(scalar, value) : arithmetic(value, scalar));
      continue;
    }
    const sample = histogramAt(column, step) ?? value;
    const outcome = combineValues(operator, isLeft ? [scalar, sample] : [sample, scalar], telling);
    if (outcome === null) continue;
    const kept = isLeft && isComparison(operator) ? sample : outcome.value;
    if (returnsBool) setFloat(result, step, outcome.isKept ? 1 : 0);
    else if (outcome.isKept) {
      if (typeof kept === "number") setFloat(result, step, kept);
      else setHistogram(result, step, kept);
    }
  }
  return result;
}
