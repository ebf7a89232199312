import { labelValue, type Labels } from "../labels.ts";
import type { Matcher, SelectOptions, Series } from "../storage.ts";
import { append, refuseWhenFull, resolve, type Resolution } from "./append.ts";
import type { Append, AppendResult, Exemplar, Metadata } from "./batch.ts";
import type { RefusalCount } from "./cardinality/budget.ts";
import {
  explainMetric,
  reportCardinality,
  type CardinalityReport,
  type NamedCount,
} from "./cardinality/report.ts";
import { openFollowers, type LogFollower } from "./follow/follower.ts";
import { oldestMs } from "./head/head.ts";
import { compileMatcher } from "./index/compiled-matcher.ts";
import { listLabelNames, listLabelValues, listSeries, type ListOptions } from "./list-labels.ts";
import { backfill, sealPast, type PastSeries } from "./maintenance/backfill.ts";
import { cleanTombstones, deleteSamples } from "./maintenance/delete-series.ts";
import { maintain } from "./maintenance/maintain.ts";
import { writeSnapshot } from "./maintenance/snapshot.ts";
import { openStoreState } from "./open-store.ts";
import { select } from "./select.ts";
import type { StoreSettings } from "./settings.ts";
import { StoreError } from "./store-error.ts";
import type { StoreState } from "./store-state.ts";
import { statusOf, type StoreStatus } from "./status.ts";

/**
 * A time-series store in a directory of its own. Calls are synchronous, apart from long work,
 * which gives others their turn and runs one at a time. Belongs into a thread of its own.
 */
export interface MetricsStore {
  /**
   * Finds or begins a series; one that is reserved has room kept for
   * it by the budget. A reference holds until `append` calls it unknown.
   */
  resolve(labels: Labels, options?: { isReserved: boolean }): Resolution;
  /** What budgets refused since the store was opened, the most first. */
  refusals(): RefusalCount[];
  /** Of a reference; null when its series has ended. */
  labelsOf(ref: number): Labels | null;
  /** Once it returns, what it took survives the death of the process; after `sync`, a power cut too. */
  append(input: Append): AppendResult;
  /** Makes what was appended so far outlive a power cut. Called every 200 ms or so. */
  sync(): void;
  select(matchers: readonly Matcher[], options: SelectOptions): Series[];
  labelNames(options: ListOptions): string[];
  labelValues(label: string, options: ListOptions): string[];
  series(options: ListOptions): Labels[];
  exemplars(options: ListOptions): { series: Labels; exemplars: Exemplar[] }[];
  metadata(): readonly Metadata[];
  /** Whatever is due: cutting blocks, merging, coarser blocks, retention. Called every minute or so. */
  maintain(): Promise<void>;
  /** Ends the past and answers where: what lies before it can be given to `backfill`, and to nothing else. */
  sealPast(): number;
  /** Writes samples of the past as blocks; answers how many. All of them lie before what `sealPast` said. */
  backfill(series: readonly PastSeries[]): Promise<number>;
  /** Hides samples of the series that match any of the selectors; says of how many series. */
  deleteSamples(options: ListOptions): Promise<number>;
  /** Gives the room of hidden samples back. */
  cleanTombstones(): Promise<void>;
  /** Makes a directory that can be opened as a store. */
  snapshot(directory: string): Promise<void>;
  /**
   * Lets somebody read what is taken in, from the log, and keeps it for them; to be called
   * once, with the names of all, before anything else. What others have left is forgotten.
   */
  follow(names: readonly string[]): LogFollower[];
  status(): StoreStatus;
  /** The largest metrics and labels of the head. */
  cardinality(limit: number): CardinalityReport;
  /** Labels of a metric by the number of their values: which one makes it large. */
  explainMetric(metric: string): NamedCount[];
  close(): Promise<void>;
}

const SHARED = { isReserved: false };

/** Opens the store of a directory, or begins one. */
export function openMetricsStore(settings: StoreSettings): MetricsStore {
  const state = openStoreState(settings);
  const inTurn = createQueue();
  const whenOpen = <Answer>(answer: () => Answer): Answer => {
    if (state.isClosed) throw new StoreError("closed", "the store was closed");
    return answer();
  };
  return {
    resolve: (labels, { isReserved } = SHARED) => whenOpen(() => resolve(state, labels, isReserved)),
    refusals: () => state.refusals.all(),
    labelsOf: (ref) => state.head.byRef.get(ref)?.labels ?? null,
    append: (input) => whenOpen(() => append(state, input)),
    sync: () => whenOpen(() => refuseWhenFull(state, () => state.wal.sync())),
    select: (matchers, options) => whenOpen(() => select(state, matchers, options)),
    labelNames: (options) => whenOpen(() => listLabelNames(state, options)),
    labelValues: (label, options) => whenOpen(() => listLabelValues(state, label, options)),
    series: (options) => whenOpen(() => listSeries(state, options)),
    exemplars: (options) => whenOpen(() => findExemplars(state, options)),
    metadata: () => [...state.metadata.values()],
    maintain: () => inTurn(() => whenOpen(() => maintain(state))),
    sealPast: () => whenOpen(() => sealPast(state)),
    backfill: (series) => inTurn(() => whenOpen(() => backfill(state, series))),
    deleteSamples: (options) => inTurn(async () => whenOpen(() => deleteAll(state, options))),
    cleanTombstones: () => inTurn(() => whenOpen(() => cleanTombstones(state))),
    snapshot: (directory) => inTurn(() => whenOpen(() => writeSnapshot(state, directory))),
    follow: (names) => openFollowers(state, names),
    status: () => statusOf(state, oldestMs(state.head)),
    cardinality: (limit) => reportCardinality(state.head.postings, limit),
    explainMetric: (metric) => explainMetric(state.head.postings, metric, (ref) => labelsOf(state, ref)),
    close: () => inTurn(async () => close(state)),
  };
}

/** One after the other, also when one fails. */
function createQueue(): <Answer>(work: () => Promise<Answer>) => Promise<Answer> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work, work);
    last = next;
    return next;
  };
}

function labelsOf({ head }: StoreState, ref: number): Labels {
  const series = head.byRef.get(ref);
  if (series === undefined) throw new RangeError(`the head has no series ${ref}`);
  return series.labels;
}

function findExemplars(state: StoreState, { selectors, fromMs, toMs }: ListOptions) {
  const lists = selectors.map((list) => list.map(compileMatcher));
  const matches = (labels: Labels) =>
    lists.length === 0 ||
    lists.some((list) => list.every((each) => each.matches(labelValue(labels, each.name))));
  return state.exemplars.find(matches, { fromMs, beforeMs: toMs + 1 });
}

function deleteAll(state: StoreState, { selectors, fromMs, toMs }: ListOptions): number {
  if (selectors.some((list) => list.length === 0) || selectors.length === 0) {
    throw new StoreError(
      "malformed",
      "say which series: a deletion without a matcher would be of everything",
    );
  }
  let count = 0;
  for (const list of selectors) {
    refuseWhenFull(state, () => {
      count += deleteSamples(state, list.map(compileMatcher), { fromMs, beforeMs: toMs + 1 });
    });
  }
  return count;
}

function close(state: StoreState): void {
  if (state.isClosed) return;
  state.isClosed = true;
  for (const follower of state.followers.values()) follower.close();
  state.wal.close();
  state.blocks.close();
}
