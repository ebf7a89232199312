import type { Expr } from "./ast.ts";
import { format, formatAggregation, formatOperator, formatSubquerySuffix } from "./format.ts";

const MAX_LINE_LENGTH = 100;

/** The expression over several lines where one would be too long to read. */
export function pretty(expr: Expr): string {
  return lines(expr, 0);
}

function lines(expr: Expr, level: number): string {
  const indent = "  ".repeat(level);
  const line = format(expr);
  if (line.length <= MAX_LINE_LENGTH) return indent + line;
  switch (expr.kind) {
    case "aggregate": {
      const args = expr.parameter === null ? [expr.expr] : [expr.parameter, expr.expr];
      return block(formatAggregation(expr), args, level);
    }
    case "call":
      return block(expr.name, expr.args, level);
    case "paren":
      return block("", [expr.expr], level);
    case "binary":
      return `${lines(expr.left, level + 1)}\n${indent}${formatOperator(expr)}\n${lines(expr.right, level + 1)}`;
    case "subquery":
      return lines(expr.expr, level) + formatSubquerySuffix(expr);
    case "unary":
      return indent + expr.operator + lines(expr.expr, level).trimStart();
    default:
      return indent + line;
  }
}

function block(head: string, args: readonly Expr[], level: number): string {
  const indent = "  ".repeat(level);
  return `${indent}${head}(\n${args.map((arg) => lines(arg, level + 1)).join(",\n")}\n${indent})`;
}
