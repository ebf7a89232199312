import type { Matcher, Queryable, QueryBudget, SelectHints, Series } from "../../storage.ts";
import type { Look, Plan, SelectorPlan } from "./plan.ts";

interface Span {
  fromMs: number;
  toMs: number;
}

/** What a selector reads, and what for. */
interface Reading {
  selector: SelectorPlan;
  span: Span;
  hints: SelectHints;
}

export interface LoadSettings {
  readonly storage: Queryable;
  readonly budget: QueryBudget;
  readonly lookbackMs: number;
  /** 0 for a query of one moment. */
  readonly stepMs: number;
}

/** Fetches what all selectors of a plan read, before anything is evaluated; equal requests are made once. */
export async function loadSeries(
  plan: Plan,
  span: Span,
  settings: LoadSettings,
): Promise<Map<SelectorPlan, readonly Series[]>> {
  const { storage, budget } = settings;
  const requests = new Map<string, Promise<readonly Series[]>>();
  const loaded = new Map<SelectorPlan, readonly Series[]>();
  for (const { selector, span: read, hints } of readingsOf(
    plan,
    { span, rangeMs: 0, functionName: "" },
    settings,
  )) {
    const key = JSON.stringify([selector.matchers, read, hints]);
    const request =
      requests.get(key) ?? fetchSeries(storage, selector.matchers, { ...read, hints, budget, inTurn: true });
    requests.set(key, request);
    loaded.set(selector, await request);
  }
  return loaded;
}

async function fetchSeries(
  storage: Queryable,
  matchers: readonly Matcher[],
  options: Parameters<Queryable["select"]>[1],
): Promise<readonly Series[]> {
  return storage.select(matchers, options);
}

interface Around {
  span: Span;
  rangeMs: number;
  functionName: string;
}

function readingsOf(plan: Plan, around: Around, settings: LoadSettings): Reading[] {
  switch (plan.kind) {
    case "number":
    case "string":
      return [];
    case "selector":
      return [readingOf(plan, around, settings)];
    case "matrix":
      return [readingOf(plan.selector, { ...around, rangeMs: plan.rangeMs }, settings)];
    case "subquery": {
      const { fromMs, toMs } = shifted(around.span, plan);
      const span = { fromMs: fromMs - plan.rangeMs, toMs };
      return readingsOf(
        plan.expr,
        { span, rangeMs: 0, functionName: "" },
        { ...settings, stepMs: plan.stepMs },
      );
    }
    case "aggregate": {
      const inner = readingsOf(plan.expr, { ...around, functionName: plan.operator }, settings);
      return plan.parameter === null ? inner : [...inner, ...readingsOf(plan.parameter, around, settings)];
    }
    case "call":
      return plan.args.flatMap((arg) => readingsOf(arg, { ...around, functionName: plan.name }, settings));
    case "binary":
      return [plan.left, plan.right].flatMap((side) =>
        readingsOf(side, { ...around, functionName: "" }, settings),
      );
    case "unary":
    case "invariant":
      return readingsOf(plan.expr, around, settings);
  }
}

function shifted({ fromMs, toMs }: Span, { atMs, offsetMs }: Look): Span {
  return { fromMs: (atMs ?? fromMs) - offsetMs, toMs: (atMs ?? toMs) - offsetMs };
}

/** Ranges and the lookback are open on their left: a sample exactly at their start is not in them. */
function readingOf(selector: SelectorPlan, around: Around, { lookbackMs, stepMs }: LoadSettings): Reading {
  const { fromMs, toMs } = shifted(around.span, selector);
  const isExtended = selector.extension !== null;
  const beforeMs = around.rangeMs === 0 || isExtended ? around.rangeMs + lookbackMs : around.rangeMs;
  const behindMs = selector.extension === "smoothed" ? lookbackMs : 0;
  return {
    selector,
    span: { fromMs: fromMs - beforeMs + 1, toMs: toMs + behindMs },
    hints: { stepMs, rangeMs: around.rangeMs, functionName: around.functionName },
  };
}
