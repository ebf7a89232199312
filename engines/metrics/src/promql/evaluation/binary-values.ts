import type { Histogram } from "../../histogram.ts";
import { divide, equalHistograms, multiply } from "../histograms/arithmetic.ts";
import { addHistogram, createHistogramSum, toHistogram } from "../histograms/histogram-sum.ts";
import { trim } from "../histograms/trim.ts";
import type { ArithmeticOperator, BinaryOperator, ComparisonOperator, Position } from "../syntax/ast.ts";
import type { Annotations } from "./annotations.ts";

export type ElementOperator = ArithmeticOperator | ComparisonOperator;

/** a to the power of b, with Go's answers where IEEE 754 leaves 1 to NaN. */
function power(a: number, b: number): number {
  if (a === 1) return 1;
  if (a === -1 && (b === Infinity || b === -Infinity)) return 1;
  return a ** b;
}

/** Arithmetic of floats; null for those that are none. */
export function floatArithmetic(operator: BinaryOperator): ((a: number, b: number) => number) | null {
  switch (operator) {
    case "+":
      return (a, b) => a + b;
    case "-":
      return (a, b) => a - b;
    case "*":
      return (a, b) => a * b;
    case "/":
      return (a, b) => a / b;
    case "%":
      return (a, b) => a % b;
    case "^":
      return power;
    case "atan2":
      return Math.atan2;
    default:
      return null;
  }
}

export function floatComparison(operator: BinaryOperator): ((a: number, b: number) => boolean) | null {
  switch (operator) {
    case "==":
      return (a, b) => a === b;
    case "!=":
      return (a, b) => a !== b;
    case "<":
      return (a, b) => a < b;
    case ">":
      return (a, b) => a > b;
    case "<=":
      return (a, b) => a <= b;
    case ">=":
      return (a, b) => a >= b;
    default:
      return null;
  }
}

/** What two samples make: a value (of a comparison the left one), and whether a comparison holds. */
export interface Outcome {
  value: number | Histogram;
  isKept: boolean;
}

export interface Telling {
  annotations: Annotations;
  position: Position;
}

/** Null where the kinds do not fit the operator; that is told. */
export function combineValues(
  operator: BinaryOperator,
  [left, right]: readonly [number | Histogram, number | Histogram],
  telling: Telling,
): Outcome | null {
  if (typeof left === "number" && typeof right === "number") {
    const arithmetic = floatArithmetic(operator);
    if (arithmetic !== null) return { value: arithmetic(left, right), isKept: true };
    const comparison = floatComparison(operator);
    if (comparison !== null) return { value: left, isKept: comparison(left, right) };
    return tellTypes(operator, ["float", "float"], telling);
  }
  if (typeof left === "number" && typeof right !== "number") {
    if (operator === "*") return { value: multiply(right, left), isKept: true };
    return tellTypes(operator, ["float", "histogram"], telling);
  }
  if (typeof left !== "number" && typeof right === "number") {
    const value = withFloat(operator, left, right);
    return value === null ? tellTypes(operator, ["histogram", "float"], telling) : { value, isKept: true };
  }
  if (typeof left === "number" || typeof right === "number") return null;
  return combineHistograms(operator, [left, right], telling);
}

function withFloat(operator: BinaryOperator, left: Histogram, right: number): Histogram | null {
  if (operator === "*") return multiply(left, right);
  if (operator === "/") return divide(left, right);
  if (operator === "</") return trim(left, right, "below");
  if (operator === ">/") return trim(left, right, "above");
  return null;
}

function tellTypes(
  operator: BinaryOperator,
  [left, right]: readonly [string, string],
  { annotations, position }: Telling,
): null {
  const what = `${JSON.stringify(operator)}: ${left} ${operator} ${right}`;
  annotations.inform(`incompatible sample types encountered for binary operator ${what}`, position);
  return null;
}

function combineHistograms(
  operator: BinaryOperator,
  [left, right]: readonly [Histogram, Histogram],
  telling: Telling,
): Outcome | null {
  if (operator === "==") return { value: left, isKept: equalHistograms(left, right) };
  if (operator === "!=") return { value: left, isKept: !equalHistograms(left, right) };
  if (operator !== "+" && operator !== "-") return tellTypes(operator, ["histogram", "histogram"], telling);
  const { annotations, position } = telling;
  const total = createHistogramSum(left);
  if (!addHistogram(total, right, operator === "+" ? 1 : -1)) {
    annotations.warn(`incompatible bucket layout encountered for binary operator ${operator}`, position);
    return null;
  }
  const operation = operator === "+" ? "addition" : "subtraction";
  if (total.hasCollision)
    annotations.warn(`conflicting counter resets during histogram ${operation}`, position);
  if (total.hasReconciled) {
    annotations.inform(`mismatched custom buckets were reconciled during ${operation}`, position);
  }
  if (operator === "-") total.resetHint = "gauge";
  return { value: toHistogram(total), isKept: true };
}
