import type { At, Call, Duration, Expr, Shift } from "../syntax/ast.ts";
import { unwrap } from "../syntax/ast.ts";
import { infoMatchers } from "./info-matchers.ts";
import type { CallPlan, Look, Plan, SelectorPlan } from "./plan.ts";
import { QueryError } from "./query-error.ts";

/** The bounds of a query; an instant one starts where it ends. */
export interface QueryRange {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

export interface PlanSettings extends QueryRange {
  /** The step of subqueries that name none. */
  readonly defaultStepMs: number;
}

/** The plan of a query, wrapped where it does not depend on the step. */
export function makePlan(expr: Expr, settings: PlanSettings): Plan {
  return once(plan(expr, settings));
}

/** What varies with the moment of evaluation even when its arguments do not. */
const VARYING: ReadonlySet<string> = new Set([
  "time",
  "timestamp",
  "start_timestamp",
  "predict_linear",
  "day_of_month",
  "day_of_week",
  "day_of_year",
  "days_in_month",
  "hour",
  "minute",
  "month",
  "year",
]);

interface Planned {
  plan: Plan;
  /** The same at every step. */
  isInvariant: boolean;
}

/** Evaluated once when that spares something: numbers and ranges are not worth it. */
function once({ plan: inner, isInvariant }: Planned): Plan {
  if (!isInvariant || ["number", "string", "matrix", "subquery"].includes(inner.kind)) return inner;
  return { kind: "invariant", expr: inner, position: inner.position };
}

function plan(expr: Expr, settings: PlanSettings): Planned {
  switch (expr.kind) {
    case "number":
    case "string":
      return { plan: expr, isInvariant: true };
    case "paren":
      return plan(expr.expr, settings);
    case "selector": {
      const { matchers, extension, position } = expr;
      const look = lookOf(expr, settings);
      return {
        plan: { kind: "selector", matchers, extension, position, ...look },
        isInvariant: look.atMs !== null,
      };
    }
    case "matrix": {
      const { matchers, extension, position } = expr.selector;
      const look = lookOf(expr.selector, settings);
      const selector: SelectorPlan = { kind: "selector", matchers, extension, position, ...look };
      const rangeMs = positiveMs(expr.range, settings);
      return {
        plan: { kind: "matrix", selector, rangeMs, position: expr.position },
        isInvariant: look.atMs !== null,
      };
    }
    case "subquery": {
      const look = lookOf(expr, settings);
      const inner = once(plan(expr.expr, settings));
      const rangeMs = positiveMs(expr.range, settings);
      const stepMs = expr.step === null ? settings.defaultStepMs : positiveMs(expr.step, settings);
      const { position } = expr;
      return {
        plan: { kind: "subquery", expr: inner, rangeMs, stepMs, position, ...look },
        isInvariant: look.atMs !== null,
      };
    }
    case "unary": {
      const inner = plan(expr.expr, settings);
      return { ...inner, plan: { ...expr, expr: inner.plan } };
    }
    case "aggregate": {
      const inner = plan(unwrap(expr.expr), settings);
      const parameter = expr.parameter === null ? null : plan(unwrap(expr.parameter), settings);
      const isInvariant = inner.isInvariant && (parameter?.isInvariant ?? true);
      const grouping = expr.grouping.toSorted();
      const inside = isInvariant ? inner.plan : once(inner);
      return { plan: { ...expr, grouping, expr: inside, parameter: parameter?.plan ?? null }, isInvariant };
    }
    case "binary": {
      const [left, right] = [plan(expr.left, settings), plan(expr.right, settings)];
      const isInvariant = left.isInvariant && right.isInvariant;
      if (isInvariant) return { plan: { ...expr, left: left.plan, right: right.plan }, isInvariant };
      return { plan: { ...expr, left: once(left), right: once(right) }, isInvariant };
    }
    case "call":
      return planCall(expr, settings);
  }
}

function planCall(call: Call, settings: PlanSettings): Planned {
  const { position, name } = call;
  const constant = constantOf(name, settings);
  if (constant !== null) return { plan: { kind: "number", value: constant, position }, isInvariant: true };
  if (name === "info") return planInfo(call, settings);
  const args = call.args.map((arg) => plan(unwrap(arg), settings));
  const areInvariant = args.every((arg) => arg.isInvariant);
  // The time of a sample is fixed when the selector is;
  // that of anything computed is the moment of evaluation.
  const isOfSample = name === "timestamp" && args[0]?.plan.kind === "selector";
  const isInvariant = areInvariant && (!VARYING.has(name) || isOfSample);
  const planned: CallPlan = {
    kind: "call",
    name,
    args: args.map((arg) => (isInvariant || isReadAsIs(name, arg.plan) ? arg.plan : once(arg))),
    position,
  };
  return { plan: planned, isInvariant };
}

/** Functions that look at the selector itself and not at its value. */
function isReadAsIs(name: string, arg: Plan): boolean {
  return arg.kind === "selector" && (name === "timestamp" || name === "start_timestamp");
}

/** Info metrics are read at the time at which the first selector of the other argument reads. */
function planInfo(call: Call, settings: PlanSettings): Planned {
  const [vector, matchers] = call.args;
  if (vector === undefined) throw new QueryError("info() lacks an argument");
  const inner = plan(unwrap(vector), settings);
  const asked = matchers?.kind === "selector" ? matchers.matchers : null;
  const selector: SelectorPlan = {
    kind: "selector",
    matchers: infoMatchers(asked),
    extension: null,
    position: matchers?.position ?? call.position,
    ...(firstLook(inner.plan) ?? { offsetMs: 0, atMs: null }),
  };
  const args = [inner.plan, selector];
  return {
    plan: { kind: "call", name: "info", args, position: call.position },
    isInvariant: inner.isInvariant,
  };
}

function firstLook(of: Plan): Look | null {
  switch (of.kind) {
    case "number":
    case "string":
      return null;
    case "selector":
      return { offsetMs: of.offsetMs, atMs: of.atMs };
    case "matrix":
      return firstLook(of.selector);
    case "subquery": {
      const look = firstLook(of.expr);
      if (look === null || look.atMs !== null) return look;
      return { offsetMs: look.offsetMs + of.offsetMs, atMs: of.atMs };
    }
    case "binary":
      return firstLook(of.left) ?? firstLook(of.right);
    case "call":
      return of.args.map(firstLook).find((look) => look !== null) ?? null;
    case "aggregate":
    case "unary":
    case "invariant":
      return firstLook(of.expr);
  }
}

function constantOf(name: string, { startMs, endMs, stepMs }: PlanSettings): number | null {
  if (name === "start") return startMs / 1000;
  if (name === "end") return endMs / 1000;
  if (name === "range") return (endMs - startMs) / 1000;
  if (name === "step") return startMs === endMs ? 0 : stepMs / 1000;
  return null;
}

function lookOf({ offset, at }: Shift, settings: PlanSettings): Look {
  const offsetMs = offset === null ? 0 : durationMs(offset, settings);
  return { offsetMs, atMs: at === null ? null : atMs(at, settings) };
}

function atMs(at: At, { startMs, endMs }: PlanSettings): number {
  if (at === "start") return startMs;
  return at === "end" ? endMs : at;
}

function positiveMs(duration: Duration, settings: PlanSettings): number {
  const valueMs = durationMs(duration, settings);
  if (valueMs <= 0) throw durationError(duration, "duration must be greater than 0");
  return valueMs;
}

/** 2^63 ns, the longest duration of Prometheus. */
const MAX_SECONDS = 2 ** 63 / 1e9;

function durationMs(duration: Duration, settings: PlanSettings): number {
  const seconds = secondsOf(duration, settings);
  if (!Number.isFinite(seconds)) throw durationError(duration, "duration is NaN or infinite");
  if (Math.abs(seconds) > MAX_SECONDS) throw durationError(duration, "duration is out of range");
  // A literal such as 4.02 is a number of seconds that binary fractions only come near to.
  return Math.trunc(Number((seconds * 1000).toPrecision(15)));
}

function durationError({ position }: Duration, message: string): QueryError {
  return new QueryError(`${position.start}:${position.end}: ${message}`);
}

function secondsOf(duration: Duration, settings: PlanSettings): number {
  if (duration.kind === "number") return duration.value;
  const { startMs, endMs, stepMs } = settings;
  const left = duration.left === null ? 0 : secondsOf(duration.left, settings);
  const right = duration.right === null ? 0 : secondsOf(duration.right, settings);
  switch (duration.operator) {
    case "step":
      return stepMs / 1000;
    case "range":
      return (endMs - startMs) / 1000;
    case "min_of":
      return Math.min(left, right);
    case "max_of":
      return Math.max(left, right);
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "^":
      return left ** right;
    case "/":
      if (right === 0) throw durationError(duration, "division by zero");
      return left / right;
    case "%":
      if (right === 0) throw durationError(duration, "modulo by zero");
      return left % right;
  }
}
