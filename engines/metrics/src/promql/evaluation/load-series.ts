import type { Matcher, Queryable, QueryBudget, SelectHints, Series } from "../../storage.ts";
import { withDetectedResets } from "../histograms/detected-resets.ts";
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
  detectsResets: boolean;
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
  const around: Around = { span, rangeMs: 0, functionName: "", use: "any" };
  for (const { selector, span: read, hints, detectsResets } of readingsOf(plan, around, settings)) {
    const key = JSON.stringify([selector.matchers, read, hints]);
    const request =
      requests.get(key) ?? fetchSeries(storage, selector.matchers, { ...read, hints, budget, inTurn: true });
    requests.set(key, request);
    const series = await request;
    loaded.set(selector, detectsResets ? series.map(withDetectedResets) : series);
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
  /** What of native histograms the functions around need: their counts and sums alone, or buckets too. */
  use: "any" | "counts" | "buckets";
}

const OF_COUNTS: ReadonlySet<string> = new Set(["histogram_count", "histogram_sum", "histogram_avg"]);
const OF_BUCKETS: ReadonlySet<string> = new Set([
  "histogram_quantile",
  "histogram_quantiles",
  "histogram_fraction",
]);

/** Buckets win, whichever stands further out. */
function useWithin(use: Around["use"], name: string): Around["use"] {
  if (use === "buckets" || OF_BUCKETS.has(name)) return "buckets";
  return OF_COUNTS.has(name) ? "counts" : use;
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
        { span, rangeMs: 0, functionName: "", use: "buckets" },
        { ...settings, stepMs: plan.stepMs },
      );
    }
    case "aggregate": {
      const inner = readingsOf(plan.expr, { ...around, functionName: plan.operator }, settings);
      return plan.parameter === null ? inner : [...inner, ...readingsOf(plan.parameter, around, settings)];
    }
    case "call": {
      const within = { ...around, functionName: plan.name, use: useWithin(around.use, plan.name) };
      return plan.args.flatMap((arg) => readingsOf(arg, within, settings));
    }
    case "binary": {
      const isTrim = plan.operator === "</" || plan.operator === ">/";
      const within = { ...around, functionName: "", use: isTrim ? "buckets" : around.use } as const;
      return [plan.left, plan.right].flatMap((side) => readingsOf(side, within, settings));
    }
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
    detectsResets: around.use === "counts",
  };
}
