import type { SyntaxNode } from "@lezer/common";
import { parser } from "@prometheus-io/lezer-promql";
import type { Matcher } from "../../storage.ts";
import { type Binary, type Expr, isSetOperator } from "./ast.ts";
import { check, checkMatchers, typeOf } from "./check.ts";
import { parseMatching } from "./matching.ts";
import { normalize } from "./normalize.ts";
import { parseOperand } from "./operands.ts";
import { ParseError } from "./parse-error.ts";
import { parseLiteral, type Source } from "./source.ts";
import { applySuffix } from "./suffixes.ts";
import { type Token, tokensOf } from "./tokens.ts";

/** Queries are short; longer ones are mistakes or attacks. */
const MAX_QUERY_LENGTH = 64 * 1024;
/** Deeper nesting than anybody writes would exhaust the stack. */
const MAX_DEPTH = 250;

/** An expression whose types fit, or a ParseError in the words of Prometheus. */
export function parse(query: string): Expr {
  const { expr, source } = read(query);
  check(expr, source);
  return expr;
}

/** The matchers of a selector that stands alone; unlike that of a query it may match whatever there is. */
export function parseSelector(query: string): readonly Matcher[] {
  const { expr, source } = read(query);
  if (expr.kind !== "selector" || expr.offset !== null || expr.at !== null || expr.extension !== null)
    return source.fail(expr.position, "expected a selector of series and nothing else");
  checkMatchers(expr, source);
  return expr.matchers;
}

function read(query: string): { expr: Expr; source: Source } {
  if (query.length > MAX_QUERY_LENGTH) {
    const message = `the query has ${query.length} characters, at most ${MAX_QUERY_LENGTH} are allowed`;
    throw new ParseError("", { start: 0, end: 0 }, message);
  }
  checkDepth(query);
  const tree = parser.parse(normalize(query));
  const root = tree.topNode.firstChild;
  refuseErrors(query, tree.topNode);
  if (root === null) throw new ParseError(query, { start: 0, end: 0 }, "no expression found in input");
  const source = sourceOf(query);
  const expr = source.parse(root.name === "LineComment" ? (tree.topNode.lastChild ?? root) : root);
  return { expr, source };
}

function sourceOf(query: string): Source {
  const source: Source = {
    query,
    text: (node) => query.slice(node.from, node.to),
    fail(position, message) {
      throw new ParseError(query, position, message);
    },
    parse: (node) => climb({ tokens: tokensOf(node, query), at: 0, source }, 0),
  };
  return source;
}

function checkDepth(query: string): void {
  let depth = 0;
  for (let at = 0; at < query.length; at++) {
    const char = query[at];
    if (char === "(") depth += 1;
    if (char === ")") depth -= 1;
    if (depth > MAX_DEPTH) {
      throw new ParseError(query, { start: at, end: at + 1 }, `more than ${MAX_DEPTH} parentheses are open`);
    }
  }
}

function refuseErrors(query: string, top: SyntaxNode): void {
  if (query.replace(/#[^\n]*/g, "").trim() === "") {
    throw new ParseError(query, { start: 0, end: 0 }, "no expression found in input");
  }
  top.cursor().iterate((node) => {
    if (!node.type.isError) return;
    const position = { start: node.from, end: node.to };
    const text = query.slice(node.from, node.to).trim() || nextWord(query, node.from);
    const what = text === "" ? "end of input" : JSON.stringify(text);
    throw new ParseError(query, position, `unexpected ${what}`);
  });
}

function nextWord(query: string, from: number): string {
  return /^\s*(\w+|\S)?/.exec(query.slice(from, from + 200))?.[1] ?? "";
}

interface Cursor {
  readonly tokens: readonly Token[];
  at: number;
  readonly source: Source;
}

/** By how much an operator binds; what stands beside it binds more. A sign binds like `*`. */
const BINDING: Readonly<Record<Binary["operator"], number>> = {
  or: 1,
  and: 2,
  unless: 2,
  "==": 3,
  "!=": 3,
  "<": 3,
  ">": 3,
  "<=": 3,
  ">=": 3,
  "</": 3,
  ">/": 3,
  "+": 4,
  "-": 4,
  "*": 5,
  "/": 5,
  "%": 5,
  atan2: 5,
  "^": 6,
};
const SIGN_BINDING = 5;

/** Precedence climbing: the longest expression from here on whose operators bind at least so much. */
function climb(cursor: Cursor, least: number): Expr {
  let left = climbOperand(cursor);
  for (;;) {
    const token = cursor.tokens[cursor.at];
    if (token?.kind !== "binary") return left;
    const binding = BINDING[token.operator];
    if (binding < least) return left;
    cursor.at += 1;
    const right = climb(cursor, token.operator === "^" ? binding : binding + 1);
    left = binary(cursor.source, { token, left, right });
  }
}

function climbOperand(cursor: Cursor): Expr {
  const token = cursor.tokens[cursor.at++];
  const { source } = cursor;
  if (token?.kind === "sign") return sign(climb(cursor, SIGN_BINDING + 1), token);
  if (token?.kind === "number") return withSuffixes(cursor, parseLiteral(source, token));
  if (token?.kind === "operand") return withSuffixes(cursor, parseOperand(token.node, source));
  return source.fail({ start: source.query.length, end: source.query.length }, "unexpected end of input");
}

function withSuffixes(cursor: Cursor, operand: Expr): Expr {
  let expr = operand;
  for (;;) {
    const token = cursor.tokens[cursor.at];
    if (token?.kind !== "suffix") return expr;
    cursor.at += 1;
    expr = applySuffix(expr, token.node, cursor.source);
  }
}

function sign(expr: Expr, { operator, start }: { operator: "+" | "-"; start: number }): Expr {
  const position = { start, end: expr.position.end };
  if (expr.kind !== "number") return { kind: "unary", operator, expr, position };
  return { ...expr, value: operator === "-" ? -expr.value : expr.value, position };
}

interface Sides {
  token: Extract<Token, { kind: "binary" }>;
  left: Expr;
  right: Expr;
}

function binary(source: Source, { token, left, right }: Sides): Binary {
  const { returnsBool, matching } = parseMatching(token.modifiers, source);
  const cardinality = matching.cardinality === "one-to-one" ? "many-to-many" : matching.cardinality;
  const areVectors = typeOf(left) === "vector" && typeOf(right) === "vector";
  const isNamed = matching.labels.length > 0 || matching.fillLeft !== null || matching.fillRight !== null;
  return {
    kind: "binary",
    operator: token.operator,
    left,
    right,
    returnsBool,
    // One between scalars is kept only to be refused.
    matching:
      !areVectors && !isNamed
        ? null
        : { ...matching, cardinality: isSetOperator(token.operator) ? cardinality : matching.cardinality },
    position: { start: left.position.start, end: right.position.end },
  };
}
