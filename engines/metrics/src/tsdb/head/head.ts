import type { Labels } from "../../labels.ts";
import type { TimeRange } from "../columns.ts";
import type { CompiledMatcher } from "../index/compiled-matcher.ts";
import { addToPostings, createPostings, type Postings } from "../index/postings.ts";
import { selectIds } from "../index/select-ids.ts";
import { histogramsWithoutRanges, withoutRanges } from "../columns.ts";
import type { SealedChunk } from "./chunk-arena.ts";
import {
  addSealed,
  createHeadSeries,
  createSampleMemory,
  dropBefore,
  isEmptySeries,
  readHeadFloats,
  readHeadHistograms,
  replaceSamples,
  type HeadSeries,
  type SampleMemory,
} from "./head-series.ts";
import { SeriesByRef } from "./series-by-ref.ts";

const EVERYTHING: TimeRange = { fromMs: -Infinity, beforeMs: Infinity };

/** What is not in blocks: series of the last hours in memory, and where to find them. */
export interface Head {
  readonly memory: SampleMemory;
  readonly byRef: SeriesByRef;
  readonly byKey: Map<string, HeadSeries>;
  /** Series that room is reserved for, by reference. */
  readonly reserved: Set<number>;
  postings: Postings;
  nextRef: number;
  /** The newest sample of all. */
  maxMs: number;
  /** What is before lies in blocks, and is refused. */
  minValidMs: number;
  /** Strings that labels share, and lists of names by the names in a row. */
  readonly interned: Map<string, string>;
  readonly internedLists: Map<string, readonly string[]>;
}

export function createHead(): Head {
  return {
    memory: createSampleMemory(),
    byRef: new SeriesByRef(),
    byKey: new Map(),
    reserved: new Set(),
    postings: createPostings(),
    nextRef: 1,
    maxMs: -Infinity,
    minValidMs: -Infinity,
    interned: new Map(),
    internedLists: new Map(),
  };
}

/** Adds a series; a reference is given out once and never again. */
export function addSeries(head: Head, labels: Labels, ref = head.nextRef): HeadSeries {
  const series = createHeadSeries(ref, internLabels(head, labels));
  head.nextRef = Math.max(head.nextRef, ref + 1);
  head.byRef.add(series);
  head.byKey.set(series.labels.key, series);
  addToPostings(head.postings, ref, series.labels);
  return series;
}

/** The same words as the same strings: requests bring copies of them by the thousand. */
function internLabels(head: Head, { names, values, key }: Labels): Labels {
  return { names: internNames(head, names), values: values.map((value) => intern(head, value)), key };
}

function intern({ interned }: Head, text: string): string {
  const known = interned.get(text);
  if (known !== undefined) return known;
  interned.set(text, text);
  return text;
}

/** Series mostly have the names of some other. Rows may be equal where names hold the separator. */
function internNames(head: Head, names: readonly string[]): readonly string[] {
  const row = names.join();
  const known = head.internedLists.get(row);
  if (known?.length === names.length && known.every((name, index) => name === names[index])) return known;
  const list = names.map((name) => intern(head, name));
  head.internedLists.set(row, list);
  return list;
}

/** Series that match, by reference. */
export function selectSeries(head: Head, matchers: readonly CompiledMatcher[]): HeadSeries[] {
  const labelsOf = (ref: number): Labels => seriesOf(head, ref).labels;
  return selectIds({ postings: head.postings, labelsOf }, matchers).map((ref) => seriesOf(head, ref));
}

function seriesOf({ byRef }: Head, ref: number): HeadSeries {
  const series = byRef.get(ref);
  if (series === undefined) throw new RangeError(`the head has no series ${ref}`);
  return series;
}

/** Takes a chunk of a checkpoint. */
export function addHeadChunk(head: Head, ref: number, chunk: SealedChunk): boolean {
  const series = head.byRef.get(ref);
  if (series === undefined) return false;
  addSealed(head.memory, series, chunk);
  head.maxMs = Math.max(head.maxMs, chunk.maxMs);
  return true;
}

/** Removes samples of some series. */
export function deleteFromHead(head: Head, refs: readonly number[], range: TimeRange): void {
  for (const ref of refs) {
    const series = head.byRef.get(ref);
    if (series === undefined) continue;
    const floats = withoutRanges(readHeadFloats(head.memory, series, EVERYTHING), [range]);
    const histograms = histogramsWithoutRanges(readHeadHistograms(series, EVERYTHING), [range]);
    replaceSamples(head.memory, series, { floats, histograms });
  }
}

/** Time of the oldest sample; Infinity when there is none. */
export function oldestMs(head: Head): number {
  let oldest = Infinity;
  for (const series of head.byRef.values()) {
    for (const chunk of series.chunks) oldest = Math.min(oldest, chunk.minMs);
    oldest = Math.min(
      oldest,
      series.late.timestampsMs[0] ?? Infinity,
      series.lateHistograms.timestampsMs[0] ?? Infinity,
      series.openHistograms.timesMs[0] ?? Infinity,
    );
    if (series.openCount > 0) {
      oldest = Math.min(oldest, head.memory.open.view(series.slot, 1).timestampsMs[0] ?? Infinity);
    }
  }
  return oldest;
}

/** Forgets what is in blocks, and the series that have nothing else. */
export function truncateHead(head: Head, beforeMs: number): void {
  for (const series of head.byRef.values()) {
    dropBefore(head.memory, series, beforeMs);
    if (!isEmptySeries(series)) continue;
    head.byRef.delete(series.ref);
    head.byKey.delete(series.labels.key);
    head.reserved.delete(series.ref);
  }
  reindex(head);
}

/** Postings and shared strings of the series that are left. */
function reindex(head: Head): void {
  if (head.postings.all.length === head.byRef.size) return;
  head.postings = createPostings();
  head.interned.clear();
  head.internedLists.clear();
  for (const series of head.byRef.values()) {
    addToPostings(head.postings, series.ref, series.labels);
    const { names, values } = series.labels;
    head.internedLists.set(names.join(), names);
    for (const text of [...names, ...values]) head.interned.set(text, text);
  }
}
