import type { SyntaxNode } from "@lezer/common";
import type { Expr, NumberLiteral, Position } from "./ast.ts";
import { parseDurationMs, parseNumber } from "./literals.ts";

/** What the parts of the parser hand on: the text, and the way back to expressions. */
export interface Source {
  readonly query: string;
  text(node: SyntaxNode): string;
  parse(node: SyntaxNode): Expr;
  fail(position: Position, message: string): never;
}

interface Literal {
  text: string;
  start: number;
  end: number;
}

/** A number, or a duration, which counts as its seconds. */
export function parseLiteral(source: Source, { text, start, end }: Literal): NumberLiteral {
  const position = { start, end };
  const value = parseNumber(text);
  if (value !== null) return { kind: "number", value, isDuration: false, position };
  const durationMs = parseDurationMs(text.toLowerCase());
  if (durationMs === null) return source.fail(position, `bad number or duration syntax: "${text}"`);
  return { kind: "number", value: durationMs / 1000, isDuration: true, position };
}
