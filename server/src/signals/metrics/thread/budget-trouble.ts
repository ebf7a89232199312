import type { BudgetReason, MetricsStore as Store, RefusalCount } from "@mainstay/metrics/tsdb";
import type { Clock } from "../../../kernel/clock.ts";
import type { Statsd } from "./statsd.ts";

/** What was refused longer ago is no trouble any more: who sends something does so every minute or so. */
const RECENT_MS = 5 * 60_000;
const LOOK_MS = 10_000;
const TOLD_MAX = 3;

export interface BudgetWatchDependencies {
  store: Pick<Store, "refusals" | "cardinality" | "explainMetric">;
  statsd: Pick<Statsd, "crowdedOut"> | null;
  clock: Clock;
  /** Told when it changes: whose new series are refused, by what, what to do; null: nothing of late. */
  tell(trouble: string | null): void;
}

/** Looks now and then whether a budget keeps new series out; answers what stops it. */
export function watchBudgets({ store, statsd, clock, tell }: BudgetWatchDependencies): () => void {
  let told: string | null = null;
  let lines = statsd?.crowdedOut().count ?? 0;
  let linesAtMs = -Infinity;

  /** Lines of StatsD are counted alone, so that they are recent if there are more than before. */
  function ofStatsd(nowMs: number): string[] {
    if (statsd === null) return [];
    const { count, metric } = statsd.crowdedOut();
    if (count > lines) linesAtMs = nowMs;
    lines = count;
    if (nowMs - linesAtMs > RECENT_MS) return [];
    return [`StatsD brings more series than metrics.statsd.series allows, such as ${metric}`];
  }

  function look(): void {
    const nowMs = clock.now().getTime();
    const trouble = describeTrouble(store, nowMs, ofStatsd(nowMs));
    if (trouble !== told) tell(trouble);
    told = trouble;
  }

  return clock.every(LOOK_MS, look);
}

/** The worst first: Mainstay's own series, then by how many were refused. */
function describeTrouble(
  store: BudgetWatchDependencies["store"],
  nowMs: number,
  others: readonly string[],
): string | null {
  const recent = store
    .refusals()
    .filter(({ reason, lastAtMs }) => reason !== "invalid-labels" && nowMs - lastAtMs <= RECENT_MS)
    .toSorted((a, b) => Number(b.isReserved) - Number(a.isReserved));
  const causes = [...Map.groupBy(recent, causeOf).values()].flatMap(([worst]) => worst ?? []);
  const words = [...causes.slice(0, TOLD_MAX).map((each) => wordsOf(store, each)), ...others];
  if (words.length === 0) return null;
  const more = causes.length - TOLD_MAX;
  const last = more > 0 ? [`and ${more} more are over a limit`] : [];
  return `${[...words, ...last].join("; ")}. ${REMEDY}`;
}

/** All metrics that the number of series keeps out have one cause. */
function causeOf({ reason, isReserved, metric, label }: RefusalCount): string {
  if (reason === "series") return `series ${isReserved}`;
  return reason === "valuesPerLabel" ? `label ${label}` : `${reason} ${metric}`;
}

const REMEDY =
  "Leave that label out where it is sent, or raise the setting; `mainstay metrics top` shows what is largest";

type Words = (refusal: RefusalCount, store: BudgetWatchDependencies["store"]) => string;

const WORDS: Record<Exclude<BudgetReason, "invalid-labels">, Words> = {
  series: ({ metric, isReserved }, store) => {
    const whose = isReserved
      ? `Mainstay's own new series, such as those of ${metric}, so that gates may find no data`
      : `new series, such as those of ${metric}`;
    const largest = store.cardinality(1).seriesByMetric[0]?.name ?? "";
    const most = `most are of ${largest}${byLabel(store, largest)}`;
    return `${whose}: there are as many as metrics.cardinality.series allows, ${most}`;
  },
  seriesPerMetric: ({ metric }, store) =>
    `${metric} has as many series as metrics.cardinality.perMetric allows${byLabel(store, metric)}`,
  valuesPerLabel: ({ metric, label }) =>
    `the label ${label}, such as of ${metric}, has as many values as metrics.cardinality.perLabel allows`,
  labelsPerSeries: ({ metric }) => `${metric} has more labels than metrics.cardinality.labels allows`,
  valueCharacters: ({ metric, label }) =>
    `the label ${label} of ${metric} has longer values than metrics.cardinality.valueLength allows`,
};

function wordsOf(store: BudgetWatchDependencies["store"], refusal: RefusalCount): string {
  const metric = refusal.metric === "" ? "many metrics" : refusal.metric;
  return refusal.reason === "invalid-labels" ? "" : WORDS[refusal.reason]({ ...refusal, metric }, store);
}

/** The label with the most values, which makes a metric as large as it is. */
function byLabel(store: BudgetWatchDependencies["store"], metric: string): string {
  const label = store.explainMetric(metric).find(({ name, count }) => name !== "__name__" && count > 1);
  return label === undefined ? "" : `, by its label ${label.name}`;
}
