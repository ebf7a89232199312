import type { SyntaxNode } from "@lezer/common";
import type { Duration, DurationOperator, NumberLiteral } from "./ast.ts";
import { parseLiteral, type Source } from "./source.ts";
import { childrenOf } from "./tokens.ts";

/** 2^63 ns, the longest duration of Prometheus. */
const MAX_SECONDS = 2 ** 63 / 1e9;

/** What stands in brackets: greater than 0 when it is known already. */
export function parseDuration(node: SyntaxNode, source: Source): Duration {
  const duration = parseExpr(node, source);
  if (duration.kind === "number") {
    if (duration.value <= 0) source.fail(duration.position, "duration must be greater than 0");
    checkRange(duration, source);
  }
  return duration;
}

/** What follows `offset`: may be negative. */
export function parseOffset(node: SyntaxNode, source: Source): Duration {
  const duration = parseExpr(node, source);
  if (duration.kind === "number") checkRange(duration, source);
  return duration;
}

function checkRange({ value, position }: NumberLiteral, source: Source): void {
  if (!(Math.abs(value) <= MAX_SECONDS)) source.fail(position, "duration out of range");
}

const BINARY: ReadonlyMap<string, DurationOperator> = new Map([
  ["Add", "+"],
  ["Sub", "-"],
  ["Mul", "*"],
  ["Div", "/"],
  ["Mod", "%"],
  ["Pow", "^"],
]);

const CALLS: ReadonlyMap<string, DurationOperator> = new Map([
  ["DurationStep", "step"],
  ["DurationRange", "range"],
  ["DurationMinOf", "min_of"],
  ["DurationMaxOf", "max_of"],
]);

function parseExpr(node: SyntaxNode, source: Source): Duration {
  const position = { start: node.from, end: node.to };
  const children = childrenOf(node);
  const [first, second, third] = children;
  if (first === undefined) {
    return parseLiteral(source, { text: source.text(node), ...position });
  }
  const call = CALLS.get(first.name);
  if (call !== undefined) {
    const left = second === undefined ? null : parseExpr(second, source);
    const right = third === undefined ? null : parseExpr(third, source);
    return { kind: "duration", operator: call, left, right, isWrapped: false, position };
  }
  if (first.name === "UnaryOp" && second !== undefined) return parseSign([first, second], node, source);
  const operator = BINARY.get(second?.name ?? "");
  if (operator !== undefined && third !== undefined) {
    const left = parseExpr(first, source);
    const right = parseExpr(third, source);
    const isZero = right.kind === "number" && right.value === 0;
    if (isZero && operator === "/") source.fail(position, "division by zero");
    if (isZero && operator === "%") source.fail(position, "modulo by zero");
    return { kind: "duration", operator, left, right, isWrapped: false, position };
  }
  const inner = parseExpr(first, source);
  if (inner.kind === "number" || !source.text(node).startsWith("(")) return inner;
  return { ...inner, isWrapped: true, position };
}

function parseSign([sign, operand]: [SyntaxNode, SyntaxNode], node: SyntaxNode, source: Source): Duration {
  const position = { start: node.from, end: node.to };
  const right = parseExpr(operand, source);
  const operator = source.text(sign) === "-" ? "-" : "+";
  if (right.kind === "number") {
    return { ...right, value: operator === "-" ? -right.value : right.value, position };
  }
  return { kind: "duration", operator, left: null, right, isWrapped: false, position };
}
