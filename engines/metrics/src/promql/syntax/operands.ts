import type { SyntaxNode } from "@lezer/common";
import type { Matcher, MatcherOperator } from "../../storage.ts";
import type { Aggregate, AggregateOperator, Expr, VectorSelector } from "./ast.ts";
import { unquote } from "./literals.ts";
import { parseGrouping } from "./matching.ts";
import type { Source } from "./source.ts";
import { childrenOf } from "./tokens.ts";

/** What stands between operators: selectors, calls, aggregations, parentheses, strings. */
export function parseOperand(node: SyntaxNode, source: Source): Expr {
  const position = { start: node.from, end: node.to };
  switch (node.name) {
    case "VectorSelector":
      return parseSelector(node, source);
    case "FunctionCall":
      return parseCall(node, source);
    case "AggregateExpr":
      return parseAggregate(node, source);
    case "ParenExpr": {
      const [inner] = childrenOf(node);
      if (inner === undefined) return source.fail(position, "unexpected end of input");
      return { kind: "paren", expr: source.parse(inner), position };
    }
    case "StringLiteral":
      return { kind: "string", value: parseString(node, source), position };
    default:
      return source.fail(position, `unexpected ${JSON.stringify(source.text(node))}`);
  }
}

function parseString(node: SyntaxNode, source: Source): string {
  const text = source.text(node);
  const position = { start: node.from, end: node.to };
  const quoteMark = text[0];
  if (text.length < 2 || text.at(-1) !== quoteMark)
    return source.fail(position, "unterminated quoted string");
  return (
    unquote(text) ?? source.fail(position, `error unquoting string ${JSON.stringify(text)}: invalid syntax`)
  );
}

function parseSelector(node: SyntaxNode, source: Source): VectorSelector {
  const position = { start: node.from, end: node.to };
  const identifier = node.getChild("Identifier");
  const braces = node.getChild("LabelMatchers");
  const name = identifier === null ? "" : source.text(identifier);
  const matchers = braces === null ? [] : childrenOf(braces).map((child) => parseMatcher(child, source));
  const named: Matcher = { name: "__name__", operator: "=", value: name };
  return {
    kind: "selector",
    name,
    matchers: name === "" ? matchers : [...matchers, named],
    offset: null,
    at: null,
    extension: null,
    position,
  };
}

function parseMatcher(node: SyntaxNode, source: Source): Matcher {
  const [label, operator, value] = childrenOf(node);
  if (node.name === "QuotedLabelName" && label !== undefined) {
    return { name: "__name__", operator: "=", value: parseString(label, source) };
  }
  const position = { start: node.from, end: node.to };
  if (label === undefined || operator === undefined || value === undefined) {
    return source.fail(position, "expected label matching operator");
  }
  const isQuoted = label.name === "QuotedLabelName" && label.firstChild !== null;
  const name = isQuoted ? parseString(label.firstChild ?? label, source) : source.text(label);
  return { name, operator: parseOperator(source.text(operator)), value: parseString(value, source) };
}

function parseOperator(text: string): MatcherOperator {
  return text === "!=" || text === "=~" || text === "!~" ? text : "=";
}

function parseCall(node: SyntaxNode, source: Source): Expr {
  const [identifier, body] = childrenOf(node);
  return {
    kind: "call",
    name: identifier === undefined ? "" : source.text(identifier),
    args: body === undefined ? [] : childrenOf(body).map((child) => source.parse(child)),
    position: { start: node.from, end: node.to },
  };
}

const OPERATORS: ReadonlySet<string> = new Set<AggregateOperator>([
  "sum",
  "avg",
  "count",
  "min",
  "max",
  "group",
  "stddev",
  "stdvar",
  "topk",
  "bottomk",
  "count_values",
  "quantile",
  "limitk",
  "limit_ratio",
]);
const WITH_PARAMETER: ReadonlySet<string> = new Set(
  "topk bottomk count_values quantile limitk limit_ratio".split(" "),
);

/** Whether an aggregation takes a parameter before its vector. */
function takesParameter(operator: AggregateOperator): boolean {
  return WITH_PARAMETER.has(operator);
}

function isAggregateOperator(text: string): text is AggregateOperator {
  return OPERATORS.has(text);
}

function parseAggregate(node: SyntaxNode, source: Source): Aggregate {
  const position = { start: node.from, end: node.to };
  const operatorNode = node.getChild("AggregateOp");
  const modifier = node.getChild("AggregateModifier");
  const body = node.getChild("FunctionCallBody");
  const operator = operatorNode === null ? "" : source.text(operatorNode).toLowerCase();
  if (!isAggregateOperator(operator)) return source.fail(position, `unknown aggregation "${operator}"`);
  const args = body === null ? [] : childrenOf(body).map((child) => source.parse(child));
  if (args.length === 0) source.fail(position, "no arguments for aggregate expression provided");
  const wanted = takesParameter(operator) ? 2 : 1;
  const expr = args.at(-1);
  if (args.length !== wanted || expr === undefined) {
    const message = `wrong number of arguments for aggregate expression provided, expected ${wanted}, got ${args.length}`;
    return source.fail(position, message);
  }
  const labels = modifier?.getChild("GroupingLabels") ?? null;
  return {
    kind: "aggregate",
    operator,
    expr,
    parameter: wanted === 2 ? (args[0] ?? null) : null,
    grouping: labels === null ? [] : parseGrouping(labels, source),
    isWithout: modifier !== null && modifier.getChild("Without") !== null,
    position,
  };
}
