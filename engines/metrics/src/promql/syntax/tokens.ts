import type { SyntaxNode } from "@lezer/common";
import type { BinaryOperator } from "./ast.ts";

/** A part of an expression without parentheses, in the order it is written. */
export type Token =
  | { kind: "sign"; operator: "+" | "-"; start: number }
  | { kind: "operand"; node: SyntaxNode }
  | { kind: "number"; text: string; start: number; end: number }
  | { kind: "suffix"; node: SyntaxNode }
  | { kind: "binary"; operator: BinaryOperator; modifiers: readonly SyntaxNode[] };

const SUFFIXES: ReadonlySet<string> = new Set([
  "OffsetExpr",
  "StepInvariantExpr",
  "AnchoredExpr",
  "SmoothedExpr",
  "MatrixSelector",
  "SubqueryExpr",
]);

const OPERATORS: ReadonlyMap<string, BinaryOperator> = new Map([
  ["Pow", "^"],
  ["Mul", "*"],
  ["Div", "/"],
  ["Mod", "%"],
  ["Atan2", "atan2"],
  ["Add", "+"],
  ["Sub", "-"],
  ["Eql", "=="],
  ["Gte", ">="],
  ["Gtr", ">"],
  ["TrimUpper", "</"],
  ["TrimLower", ">/"],
  ["Lte", "<="],
  ["Lss", "<"],
  ["Neq", "!="],
  ["And", "and"],
  ["Unless", "unless"],
  ["Or", "or"],
]);

/**
 * The tokens of an expression. The grammar lets a suffix reach over
 * everything before it (`a + b offset 5m` as `(a + b) offset 5m`) and takes a
 * sign into a number before `^`: only the order of its leaves is relied upon.
 */
export function tokensOf(node: SyntaxNode, text: string): Token[] {
  if (node.name === "BinaryExpr") return tokensOfBinary(node, text);
  if (node.name === "UnaryExpr") return tokensOfUnary(node, text);
  if (node.name === "NumberDurationLiteral") return tokensOfNumber(node, text);
  const inner = node.firstChild;
  if (SUFFIXES.has(node.name) && inner !== null) {
    return [...tokensOf(inner, text), { kind: "suffix", node }];
  }
  return [{ kind: "operand", node }];
}

function tokensOfBinary(node: SyntaxNode, text: string): Token[] {
  const [left, ...rest] = childrenOf(node);
  const right = rest.pop();
  const [sign, ...modifiers] = rest;
  const operator = OPERATORS.get(sign?.name ?? "");
  if (left === undefined || right === undefined || operator === undefined) return [];
  return [...tokensOf(left, text), { kind: "binary", operator, modifiers }, ...tokensOf(right, text)];
}

function tokensOfUnary(node: SyntaxNode, text: string): Token[] {
  const [sign, operand] = childrenOf(node);
  if (sign === undefined || operand === undefined) return [];
  return [signOf(text, sign.from), ...tokensOf(operand, text)];
}

function tokensOfNumber(node: SyntaxNode, text: string): Token[] {
  const written = text.slice(node.from, node.to);
  const unsigned = written.replace(/^[+-]\s*/, "");
  const start = node.to - unsigned.length;
  const number: Token = { kind: "number", text: unsigned, start, end: node.to };
  return unsigned === written ? [number] : [signOf(text, node.from), number];
}

function signOf(text: string, start: number): Token {
  return { kind: "sign", operator: text[start] === "-" ? "-" : "+", start };
}

/** Children that mean something: all but comments. */
export function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (child.name !== "LineComment") children.push(child);
  }
  return children;
}
