import type { SyntaxNode } from "@lezer/common";
import type { At, Expr, Position, Shift } from "./ast.ts";
import { parseDuration, parseOffset } from "./durations.ts";
import { parseSigned } from "./matching.ts";
import type { Source } from "./source.ts";
import { childrenOf } from "./tokens.ts";

/** The expression with what stands behind it: a range, a subquery, offset, @, anchored, smoothed. */
export function applySuffix(expr: Expr, node: SyntaxNode, source: Source): Expr {
  const end = node.to;
  switch (node.name) {
    case "MatrixSelector":
      return applyRange(expr, node, source);
    case "SubqueryExpr":
      return applySubquery(expr, node, source);
    case "OffsetExpr": {
      const duration = childrenOf(node).at(-1);
      if (duration === undefined) return source.fail(expr.position, "unexpected end of input");
      const offset = parseOffset(duration, source);
      return shift(expr, { name: "offset modifier", end, source }, (before) => {
        if (before.offset !== null) source.fail(expr.position, "offset may not be set multiple times");
        return { offset };
      });
    }
    case "StepInvariantExpr": {
      const at = parseAt(node, source);
      return shift(expr, { name: "@ modifier", end, source }, (before) => {
        if (before.at !== null) source.fail(expr.position, "@ <timestamp> may not be set multiple times");
        return { at };
      });
    }
    default:
      return extend(expr, { name: node.name === "AnchoredExpr" ? "anchored" : "smoothed", end }, source);
  }
}

function applyRange(expr: Expr, node: SyntaxNode, source: Source): Expr {
  const position = { start: expr.position.start, end: node.to };
  const range = childrenOf(node).at(-1);
  if (expr.kind !== "selector" || range === undefined) {
    return source.fail(expr.position, "ranges only allowed for vector selectors");
  }
  if (expr.offset !== null) source.fail(position, "no offset modifiers allowed before range");
  if (expr.at !== null) source.fail(position, "no @ modifiers allowed before range");
  return { kind: "matrix", selector: expr, range: parseDuration(range, source), position };
}

function applySubquery(expr: Expr, node: SyntaxNode, source: Source): Expr {
  const [, range, step] = childrenOf(node);
  if (range === undefined) return source.fail(expr.position, "unexpected end of input");
  return {
    kind: "subquery",
    expr,
    range: parseDuration(range, source),
    step: step === undefined ? null : parseDuration(step, source),
    offset: null,
    at: null,
    position: { start: expr.position.start, end: node.to },
  };
}

interface Suffix {
  name: string;
  end: number;
  source: Source;
}

function shift(expr: Expr, { name, end, source }: Suffix, change: (before: Shift) => Partial<Shift>): Expr {
  const position = until(expr.position, end);
  if (expr.kind === "selector" || expr.kind === "subquery") return { ...expr, ...change(expr), position };
  if (expr.kind === "matrix") {
    const { selector } = expr;
    return { ...expr, selector: { ...selector, ...change(selector) }, position };
  }
  const message = `${name} must be preceded by an instant vector selector or range vector selector or a subquery`;
  return source.fail(expr.position, message);
}

interface Extension {
  name: "anchored" | "smoothed";
  end: number;
}

function extend(expr: Expr, { name, end }: Extension, source: Source): Expr {
  const position = until(expr.position, end);
  if (expr.kind === "subquery")
    source.fail(expr.position, `${name} modifier is not supported for subqueries`);
  if (expr.kind !== "selector" && expr.kind !== "matrix") {
    return source.fail(
      expr.position,
      `${name} modifier must be preceded by an instant vector selector or range vector selector`,
    );
  }
  const selector = expr.kind === "matrix" ? expr.selector : expr;
  if (selector.extension !== null && selector.extension !== name) {
    source.fail(expr.position, "anchored and smoothed modifiers cannot be used together");
  }
  if (expr.kind === "selector") return { ...expr, extension: name, position };
  return { ...expr, selector: { ...selector, extension: name }, position };
}

function parseAt(node: SyntaxNode, source: Source): At {
  const at = childrenOf(node).at(-1);
  if (at === undefined) return source.fail({ start: node.from, end: node.to }, "unexpected end of input");
  if (at.name === "AtModifierPreprocessors") {
    return source.text(at).toLowerCase().startsWith("start") ? "start" : "end";
  }
  const seconds = parseSigned(at, source);
  if (!Number.isFinite(seconds) || Math.abs(seconds) >= 2 ** 63 / 1000) {
    const position = { start: at.from, end: at.to };
    source.fail(position, `timestamp out of bounds for @ modifier: ${seconds}`);
  }
  return Math.round(seconds * 1000);
}

function until(position: Position, end: number): Position {
  return { start: position.start, end: Math.max(position.end, end) };
}
