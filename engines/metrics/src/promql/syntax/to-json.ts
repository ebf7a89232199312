import { formatPlain } from "../numbers.ts";
import type { Duration, Expr, Shift, VectorMatching, VectorSelector } from "./ast.ts";
import { SIGNATURES } from "./signatures.ts";

/** JSON of any shape. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** An expression in the shape of Prometheus' `parse_query`. */
export function toJson(expr: Expr): Json {
  switch (expr.kind) {
    case "number":
      return { type: "numberLiteral", val: formatPlain(expr.value) };
    case "string":
      return { type: "stringLiteral", val: expr.value };
    case "paren":
      return { type: "parenExpr", expr: toJson(expr.expr) };
    case "unary":
      return { type: "unaryExpr", op: expr.operator, expr: toJson(expr.expr) };
    case "selector":
      return { type: "vectorSelector", ...selectorJson(expr) };
    case "matrix":
      return { type: "matrixSelector", ...selectorJson(expr.selector), ...durationJson("range", expr.range) };
    case "subquery":
      return {
        type: "subquery",
        expr: toJson(expr.expr),
        ...durationJson("range", expr.range),
        ...durationJson("step", expr.step),
        ...shiftJson(expr),
      };
    case "call":
      return { type: "call", func: functionJson(expr.name), args: expr.args.map(toJson) };
    case "aggregate":
      return {
        type: "aggregation",
        op: expr.operator,
        expr: toJson(expr.expr),
        param: expr.parameter === null ? null : toJson(expr.parameter),
        grouping: expr.grouping,
        without: expr.isWithout,
      };
    case "binary":
      return {
        type: "binaryExpr",
        op: expr.operator,
        lhs: toJson(expr.left),
        rhs: toJson(expr.right),
        matching: expr.matching === null ? null : matchingJson(expr.matching),
        bool: expr.returnsBool,
      };
  }
}

function selectorJson(selector: VectorSelector) {
  const { name, matchers, extension } = selector;
  return {
    name,
    matchers: matchers.map((matcher) => ({
      name: matcher.name,
      value: matcher.value,
      type: matcher.operator,
    })),
    ...shiftJson(selector),
    anchored: extension === "anchored",
    smoothed: extension === "smoothed",
  };
}

function shiftJson({ offset, at }: Shift) {
  return {
    ...durationJson("offset", offset),
    timestamp: typeof at === "number" ? at : null,
    startOrEnd: typeof at === "string" ? at : null,
  };
}

/** Milliseconds where they are known; what is computed later stands under the other name. */
function durationJson(name: string, duration: Duration | null): Record<string, Json> {
  const isKnown = duration?.kind === "number";
  return {
    [name]: isKnown ? Math.round(duration.value * 1000) : 0,
    [`${name}Expr`]: duration === null || isKnown ? null : durationExprJson(duration),
  };
}

function durationExprJson(duration: Duration | null): Json {
  if (duration === null) return null;
  if (duration.kind === "number") {
    return { type: "numberLiteral", val: formatPlain(duration.value), duration: duration.isDuration };
  }
  const { operator, left, right, isWrapped } = duration;
  return {
    type: "durationExpr",
    op: operator,
    lhs: durationExprJson(left),
    rhs: durationExprJson(right),
    wrapped: isWrapped,
  };
}

function functionJson(name: string): Json {
  const { args, variadic, returns } = SIGNATURES.get(name) ?? { args: [], variadic: 0, returns: "vector" };
  return { name, argTypes: args, variadic, returnType: returns };
}

function matchingJson({ cardinality, isOn, labels, include, fillLeft, fillRight }: VectorMatching): Json {
  return {
    card: cardinality,
    labels,
    on: isOn,
    include,
    fillValues: { lhs: fillLeft, rhs: fillRight },
  };
}
