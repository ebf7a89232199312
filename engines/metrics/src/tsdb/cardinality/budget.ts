import { labelValue, METRIC_NAME, type Labels } from "../../labels.ts";
import type { Postings } from "../index/postings.ts";
import type { CardinalityBudget } from "../settings.ts";

/** What a new series would have exceeded. */
export type BudgetReason = keyof CardinalityBudget | "invalid-labels";

/** Why a series was not taken; what is there already goes on. */
export interface Refusal {
  reason: BudgetReason;
  limit: number;
  /** The label that did it; empty when it is the number of series as a whole. */
  label: string;
  message: string;
}

/** Refusals of one metric for one reason, since the store was opened. */
export interface RefusalCount extends Refusal {
  metric: string;
  count: number;
  example: Labels;
}

/** Metrics that are told apart; what exceeds them is counted under the name "". */
const COUNTED_METRICS = 1000;

/** Null when the series may be added. */
export function refuseSeries(postings: Postings, labels: Labels, budget: CardinalityBudget): Refusal | null {
  return refuseShape(labels, budget) ?? refuseGrowth(postings, labels, budget);
}

function refuseShape({ names, values }: Labels, budget: CardinalityBudget): Refusal | null {
  if (names.length === 0 || names.some((name) => name === ""))
    return refusal(
      "invalid-labels",
      { limit: 1, label: "" },
      "a series needs labels, and each of them a name",
    );
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

function refuseGrowth(postings: Postings, labels: Labels, budget: CardinalityBudget): Refusal | null {
  const { names, values } = labels;
  if (postings.all.length >= budget.series) {
    const message = `there are ${budget.series} series, which is as many as are allowed`;
    return refusal("series", { limit: budget.series, label: "" }, message);
  }
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

function refusal(reason: BudgetReason, what: { limit: number; label: string }, message: string): Refusal {
  return { reason, ...what, message };
}

/** Counts refusals by metric and reason. */
export interface RefusalLedger {
  add(labels: Labels, refusal: Refusal): void;
  all(): RefusalCount[];
}

export function createRefusalLedger(): RefusalLedger {
  const counts = new Map<string, RefusalCount>();
  return {
    add: (labels, refused) => {
      const named = labelValue(labels, METRIC_NAME);
      const isKnown = counts.has(`${refused.reason} ${named}`);
      const metric = isKnown || counts.size < COUNTED_METRICS ? named : "";
      const key = `${refused.reason} ${metric}`;
      const known = counts.get(key);
      if (known === undefined) counts.set(key, { ...refused, metric, count: 1, example: labels });
      else known.count++;
    },
    all: () => [...counts.values()].toSorted((a, b) => b.count - a.count),
  };
}
