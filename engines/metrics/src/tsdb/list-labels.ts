import type { Labels } from "../labels.ts";
import type { Matcher } from "../storage.ts";
import type { TimeRange } from "./columns.ts";
import { selectSeries } from "./head/head.ts";
import { compileMatcher } from "./index/compiled-matcher.ts";
import type { Postings } from "./index/postings.ts";
import { tryBlock } from "./select.ts";
import type { StoreState } from "./store-state.ts";
import { planReads } from "./tiers/plan-reads.ts";

/** What is asked without samples being read. */
export interface ListOptions {
  fromMs: number;
  toMs: number;
  /** Series that match any of these lists; all when there is none. */
  selectors: readonly (readonly Matcher[])[];
}

const PLAIN = { stepMs: 0, rangeMs: 0, functionName: "" };

/** Labels of the series that match, each once; of blocks that overlap the times, and of the head. */
export function listSeries(state: StoreState, options: ListOptions): Labels[] {
  const found = new Map<string, Labels>();
  const lists = options.selectors.length === 0 ? [[]] : options.selectors;
  for (const matchers of lists.map((list) => list.map(compileMatcher))) {
    if (overlapsHead(state, options)) {
      for (const { labels } of selectSeries(state.head, matchers)) found.set(labels.key, labels);
    }
    eachBlock(state, options, (block) => {
      for (const series of block.select(matchers)) {
        const labels = block.labelsOf(series);
        if (!found.has(labels.key)) found.set(labels.key, labels);
      }
    });
  }
  return [...found.values()];
}

/** Names of labels, sorted. */
export function listLabelNames(state: StoreState, options: ListOptions): string[] {
  const names = new Set<string>();
  if (options.selectors.length > 0) {
    for (const labels of listSeries(state, options)) for (const name of labels.names) names.add(name);
  } else eachPostings(state, options, ({ byName }) => byName.keys().forEach((name) => names.add(name)));
  return [...names].toSorted();
}

/** Values of one label, sorted. */
export function listLabelValues(state: StoreState, label: string, options: ListOptions): string[] {
  const values = new Set<string>();
  if (options.selectors.length > 0) {
    for (const labels of listSeries(state, options)) {
      const at = labels.names.indexOf(label);
      if (at !== -1) values.add(labels.values[at] ?? "");
    }
  } else {
    eachPostings(state, options, ({ byName }) => {
      for (const value of byName.get(label)?.keys() ?? []) values.add(value);
    });
  }
  return [...values].toSorted();
}

function eachPostings(state: StoreState, options: ListOptions, visit: (postings: Postings) => void): void {
  if (overlapsHead(state, options)) visit(state.head.postings);
  eachBlock(state, options, (block) => visit(block.postings()));
}

function overlapsHead({ head }: StoreState, { fromMs, toMs }: ListOptions): boolean {
  return fromMs <= head.maxMs && toMs >= head.minValidMs;
}

type Block = ReturnType<StoreState["blocks"]["all"]>[number];

function eachBlock(state: StoreState, { fromMs, toMs }: ListOptions, visit: (block: Block) => void): void {
  const range: TimeRange = { fromMs, beforeMs: toMs + 1 };
  const blocks = new Set(planReads(state.blocks.all(), { range, hints: PLAIN }).map((each) => each.block));
  for (const block of blocks) tryBlock(state, block, () => visit(block));
}
