import { type Expr, formatQuery, parseQuery } from "@mainstay/metrics";

/** Calls whose answer varies with the moment of evaluation even when what they are given does not. */
const VARYING = new Set(
  "days_in_month day_of_month day_of_week day_of_year end hour minute month year predict_linear range start step time timestamp".split(
    " ",
  ),
);

export interface Variant {
  query: string;
  timeMs: number;
}

/** The query with `@` at every selector, to be asked at other moments: the answer stays the same. */
export function atVariants(query: string, timeMs: number): Variant[] {
  const expr = parseQuery(query);
  if (calls(expr).some((name) => VARYING.has(name))) return [];
  const pinned = formatQuery(pin(expr, timeMs));
  const times =
    timeMs === 0 ? [-1000, 0, 1000] : [-10 * timeMs, 0, Math.trunc(timeMs / 5), timeMs, 10 * timeMs];
  return times.map((each) => ({ query: pinned, timeMs: each }));
}

function children(expr: Expr): Expr[] {
  switch (expr.kind) {
    case "number":
    case "string":
    case "selector":
      return [];
    case "matrix":
      return [expr.selector];
    case "binary":
      return [expr.left, expr.right];
    case "call":
      return [...expr.args];
    case "aggregate":
      return expr.parameter === null ? [expr.expr] : [expr.parameter, expr.expr];
    default:
      return [expr.expr];
  }
}

function calls(expr: Expr): string[] {
  const below = children(expr).flatMap(calls);
  return expr.kind === "call" ? [expr.name, ...below] : below;
}

function pin(expr: Expr, timeMs: number): Expr {
  switch (expr.kind) {
    case "number":
    case "string":
      return expr;
    case "selector":
      return { ...expr, at: expr.at ?? timeMs };
    case "matrix":
      return { ...expr, selector: { ...expr.selector, at: expr.selector.at ?? timeMs } };
    // What is inside is asked at the steps of the subquery.
    case "subquery":
      return { ...expr, at: expr.at ?? timeMs };
    case "binary":
      return { ...expr, left: pin(expr.left, timeMs), right: pin(expr.right, timeMs) };
    case "call":
      return { ...expr, args: expr.args.map((arg) => pin(arg, timeMs)) };
    case "aggregate":
      return {
        ...expr,
        expr: pin(expr.expr, timeMs),
        parameter: expr.parameter === null ? null : pin(expr.parameter, timeMs),
      };
    default:
      return { ...expr, expr: pin(expr.expr, timeMs) };
  }
}
