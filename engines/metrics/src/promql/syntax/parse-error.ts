import type { Position } from "./ast.ts";

/** A query that is no PromQL, or whose types do not fit. The message begins with line and column. */
export class ParseError extends Error {
  readonly position: Position;
  constructor(query: string, position: Position, message: string) {
    super(`${lineAndColumn(query, position.start)}: parse error: ${message}`);
    this.name = "ParseError";
    this.position = position;
  }
}

/** Both from 1, as people count. */
export function lineAndColumn(query: string, offset: number): string {
  const before = query.slice(0, offset);
  const line = before.split("\n").length;
  return `${line}:${offset - before.lastIndexOf("\n")}`;
}
