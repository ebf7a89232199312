import type { Expr, VectorSelector } from "./ast.ts";

/** Every selector of an expression, in the order in which they stand. */
export function selectorsOf(expr: Expr): VectorSelector[] {
  switch (expr.kind) {
    case "number":
    case "string":
      return [];
    case "selector":
      return [expr];
    case "matrix":
      return [expr.selector];
    case "call":
      return expr.args.flatMap(selectorsOf);
    case "aggregate":
      return [...(expr.parameter === null ? [] : selectorsOf(expr.parameter)), ...selectorsOf(expr.expr)];
    case "binary":
      return [...selectorsOf(expr.left), ...selectorsOf(expr.right)];
    default:
      return selectorsOf(expr.expr);
  }
}
