import { labelValue, METRIC_NAME, type Labels } from "../../labels.ts";
import type { Head } from "../head/head.ts";
import type { CardinalityBudget } from "../settings.ts";

/** What a new series would have exceeded. */
export type BudgetReason = Exclude<keyof CardinalityBudget, "reservedSeries"> | "invalid-labels";

/** Why a series was not taken; what is there already goes on. */
export interface Refusal {
  reason: BudgetReason;
  limit: number;
  /** The label that did it; empty when it is the number of series as a whole. */
  label: string;
  message: string;
  /** Whether it was one of those that room is reserved for. */
  isReserved: boolean;
}

/** Refusals of one metric for one reason, since the store was opened. */
export interface RefusalCount extends Refusal {
  metric: string;
  count: number;
  example: Labels;
  lastAtMs: number;
}

/** Metrics that are told apart; what exceeds them is counted under the name "". */
const COUNTED_METRICS = 1000;

export interface Newcomer {
  labels: Labels;
  isReserved: boolean;
}

/**
 * Null when the series may be added. Those that are reserved know one limit alone, the number of all: what
 * others send under the same name or label must not keep them out.
 */
export function refuseSeries(
  head: Head,
  { labels, isReserved }: Newcomer,
  budget: CardinalityBudget,
): Refusal | null {
  const refused =
    refuseNameless(labels) ??
    (isReserved ? null : refuseShape(labels, budget)) ??
    refuseNumber(head, budget, isReserved) ??
    (isReserved ? null : refuseGrowth(head, labels, budget));
  return refused === null ? null : { ...refused, isReserved };
}

type Found = Omit<Refusal, "isReserved">;

function refuseNameless({ names }: Labels): Found | null {
  if (names.length > 0 && names.every((name) => name !== "")) return null;
  const message = "a series needs labels, and each of them a name";
  return refusal("invalid-labels", { limit: 1, label: "" }, message);
}

/** What is reserved and not used stays free; beyond it reserved series take room as all do. */
function refuseNumber({ postings, reserved }: Head, budget: CardinalityBudget, isReserved: boolean) {
  const count = postings.all.length;
  const { series, reservedSeries } = budget;
  const told = (limit: number, beside: string) => {
    const message = `there are ${limit} series, which is as many as are allowed${beside}`;
    return refusal("series", { limit, label: "" }, message);
  };
  if (count >= series) return told(series, "");
  const shared = series - reservedSeries;
  if (isReserved || count - reserved.size < shared) return null;
  return told(shared, ` beside ${reservedSeries} that are reserved`);
}

function refuseShape({ names, values }: Labels, budget: CardinalityBudget): Found | null {
  if (names.length > budget.labelsPerSeries) {
    const message = `${names.length} labels, at most ${budget.labelsPerSeries} are allowed`;
    return refusal("labelsPerSeries", { limit: budget.labelsPerSeries, label: "" }, message);
  }
  const long = values.findIndex((value) => value.length > budget.valueCharacters);
  if (long === -1) return null;
  const label = names[long] ?? "";
  const message = `the value of ${label} is longer than ${budget.valueCharacters} characters`;
  return refusal("valueCharacters", { limit: budget.valueCharacters, label }, message);
}

function refuseGrowth({ postings }: Head, labels: Labels, budget: CardinalityBudget): Found | null {
  const { names, values } = labels;
  for (let index = 0; index < names.length; index++) {
    const label = names[index] ?? "";
    const byValue = postings.byName.get(label);
    if (byValue === undefined || byValue.size < budget.valuesPerLabel || byValue.has(values[index] ?? ""))
      continue;
    const message = `${label} has ${budget.valuesPerLabel} different values, which is as many as are allowed`;
    return refusal("valuesPerLabel", { limit: budget.valuesPerLabel, label }, message);
  }
  const metric = labelValue(labels, METRIC_NAME);
  const ofMetric = postings.byName.get(METRIC_NAME)?.get(metric)?.length ?? 0;
  if (ofMetric < budget.seriesPerMetric) return null;
  const message = `${metric} has ${budget.seriesPerMetric} series, which is as many as are allowed`;
  return refusal("seriesPerMetric", { limit: budget.seriesPerMetric, label: "" }, message);
}

function refusal(reason: BudgetReason, what: { limit: number; label: string }, message: string): Found {
  return { reason, ...what, message };
}

/** Counts refusals by metric and reason. */
export interface RefusalLedger {
  add(labels: Labels, refusal: Refusal, atMs: number): void;
  all(): RefusalCount[];
}

export function createRefusalLedger(): RefusalLedger {
  const counts = new Map<string, RefusalCount>();
  return {
    add: (labels, refused, atMs) => {
      const named = labelValue(labels, METRIC_NAME);
      const keyOf = (metric: string) => `${refused.reason} ${refused.isReserved} ${metric}`;
      const metric = counts.has(keyOf(named)) || counts.size < COUNTED_METRICS ? named : "";
      const known = counts.get(keyOf(metric));
      if (known === undefined) {
        counts.set(keyOf(metric), { ...refused, metric, count: 1, example: labels, lastAtMs: atMs });
        return;
      }
      known.count++;
      known.lastAtMs = atMs;
    },
    all: () => [...counts.values()].toSorted((a, b) => b.count - a.count),
  };
}
