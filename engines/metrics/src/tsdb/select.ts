import type { Labels } from "../labels.ts";
import type {
  FloatColumn,
  HistogramColumn,
  Matcher,
  SelectHints,
  SelectOptions,
  Series,
} from "../storage.ts";
import type { BlockReader } from "./block/block-reader.ts";
import { isDamage } from "./block/block-set.ts";
import { joinFloats, joinHistograms, type TimeRange } from "./columns.ts";
import { createHeadReader, readFloats, type HeadReader } from "./head/head-reader.ts";
import {
  countSamples,
  hasHistograms,
  readHeadFloats,
  readHeadHistograms,
  type HeadSeries,
} from "./head/head-series.ts";
import { selectSeries } from "./head/head.ts";
import { compileMatcher, type CompiledMatcher } from "./index/compiled-matcher.ts";
import type { StoreState } from "./store-state.ts";
import { planReads, subtract, type PlannedRead } from "./tiers/plan-reads.ts";
import { bucketOf } from "./tiers/buckets.ts";
import { viewBuckets } from "./tiers/view-buckets.ts";

const SAMPLE_BYTES = 16;

/** What was found of a series, and where: what blocks of one width told is not told again by another. */
interface Found {
  labels: Labels;
  floats: FloatColumn[];
  histograms: HistogramColumn[];
  told: { range: TimeRange; resolutionMs: number }[];
}

interface Selection {
  matchers: readonly CompiledMatcher[];
  options: SelectOptions;
  range: TimeRange;
  found: Map<string, Found>;
  /** Series of the head alone that are read when their turn comes. */
  inTurn: Series[];
}

/**
 * Samples of the series that match, from blocks and head. A damaged block is put aside, and the rest answers.
 */
export function select(state: StoreState, matchers: readonly Matcher[], options: SelectOptions): Series[] {
  const compiled = matchers.map(compileMatcher);
  const range = { fromMs: options.fromMs, beforeMs: options.toMs + 1 };
  for (;;) {
    const selection: Selection = { matchers: compiled, options, range, found: new Map(), inTurn: [] };
    if (readBlocks(state, selection)) {
      readHead(state, selection);
      const share = createTimesSharing();
      const found = [...selection.found.values()].flatMap((each) => toSeries(each, share));
      return found.concat(selection.inTurn);
    }
  }
}

/** False when a block had to be put aside: what it told counts no more. */
function readBlocks(state: StoreState, selection: Selection): boolean {
  const reads = planReads(state.blocks.all(), { range: selection.range, hints: selection.options.hints });
  for (const read of reads) {
    if (!tryBlock(state, read.block, () => readBlock(state, selection, read))) return false;
  }
  return true;
}

/** Reads from a block; puts it aside and says false when it turns out to be damaged. */
export function tryBlock(state: StoreState, block: BlockReader, read: () => void): boolean {
  try {
    read();
    return true;
  } catch (cause) {
    if (!isDamage(cause)) throw cause;
    state.blocks.quarantine(block, cause);
    return false;
  }
}

function readBlock(
  state: StoreState,
  selection: Selection,
  { block, range }: PlannedRead<BlockReader>,
): void {
  const { resolutionMs } = block.meta;
  const { hints, budget } = selection.options;
  for (const series of block.select(selection.matchers)) {
    if (block.countSamples(series, range) === 0) continue;
    const found = foundFor(state, selection, block.labelsOf(series));
    for (const gap of untold(found, range, resolutionMs)) {
      const inGap = block.countSamples(series, gap);
      if (inGap === 0) continue;
      budget.addSamples(inGap);
      budget.addBytes(inGap * SAMPLE_BYTES);
      readSeries(found, { block, series, range: gap }, hints);
    }
  }
}

/** Parts of the range for which no block of another width has told samples of the series. */
function untold({ told }: Found, range: TimeRange, resolutionMs: number): TimeRange[] {
  let gaps = [range];
  for (const each of told) {
    if (each.resolutionMs !== resolutionMs) gaps = gaps.flatMap((gap) => subtract(gap, each.range));
  }
  return gaps;
}

interface SeriesRead {
  block: BlockReader;
  series: number;
  range: TimeRange;
}

function readSeries(found: Found, { block, series, range }: SeriesRead, hints: SelectHints): void {
  const { resolutionMs } = block.meta;
  const floats = resolutionMs === 0 ? block.floats(series, range) : block.buckets(series, range);
  const histograms = block.histograms(series, range);
  const span = spanOf([floats.timestampsMs, histograms.timestampsMs], resolutionMs);
  if (span.fromMs < span.beforeMs) found.told.push({ range: span, resolutionMs });
  found.floats.push("parts" in floats ? viewBuckets(floats, hints, resolutionMs) : floats);
  found.histograms.push(histograms);
}

/** From the first to the last of the times; that of a bucket stands for all of it that lies before. */
function spanOf(columns: readonly Float64Array[], resolutionMs: number): TimeRange {
  const firstMs = Math.min(...columns.map((times) => times[0] ?? Infinity));
  const lastMs = Math.max(...columns.map((times) => times.at(-1) ?? -Infinity));
  const fromMs = resolutionMs === 0 ? firstMs : (bucketOf(firstMs, resolutionMs) - 1) * resolutionMs + 1;
  return { fromMs, beforeMs: lastMs + 1 };
}

function readHead({ head }: StoreState, selection: Selection): void {
  const { matchers, options, range, found } = selection;
  if (head.maxMs < range.fromMs || range.beforeMs <= head.minValidMs) return;
  const reader = createHeadReader(head.memory.open);
  for (const series of selectSeries(head, matchers)) {
    const count = countSamples(series, range);
    if (count === 0) continue;
    options.budget.addSamples(count);
    options.budget.addBytes(count * SAMPLE_BYTES);
    const known = found.get(series.labels.key);
    if (options.inTurn === true && known === undefined && !hasHistograms(series)) {
      selection.inTurn.push(new SeriesInTurn(reader, series, range));
      continue;
    }
    const entry = known ?? newFound(series.labels);
    entry.floats.push(readHeadFloats(head.memory, series, range));
    entry.histograms.push(readHeadHistograms(series, range));
    found.set(series.labels.key, entry);
  }
}

/** Floats of the head, decoded when asked for. A class, since a query makes thousands of them. */
class SeriesInTurn implements Series {
  readonly labels: Labels;
  readonly #reader: HeadReader;
  readonly #series: HeadSeries;
  readonly #range: TimeRange;

  constructor(reader: HeadReader, series: HeadSeries, range: TimeRange) {
    this.labels = series.labels;
    this.#reader = reader;
    this.#series = series;
    this.#range = range;
  }

  get floats(): FloatColumn {
    return readFloats(this.#reader, this.#series, this.#range);
  }
}

/** Labels of a series that is in the head too are those of the head: one object for each series. */
function foundFor({ head }: StoreState, { found }: Selection, labels: Labels): Found {
  const known = found.get(labels.key);
  if (known !== undefined) return known;
  const entry = newFound(head.byKey.get(labels.key)?.labels ?? labels);
  found.set(labels.key, entry);
  return entry;
}

function newFound(labels: Labels): Found {
  return { labels, floats: [], histograms: [], told: [] };
}

/** Blocks were read by width, not by time. */
function toSeries({ labels, floats, histograms }: Found, share: TimesSharing): Series[] {
  const joined = {
    labels,
    floats: share(joinFloats(inOrder(floats))),
    histograms: joinHistograms(inOrder(histograms)),
  };
  if (joined.histograms.values.length > 0) return [joined];
  return joined.floats.values.length > 0 ? [{ labels, floats: joined.floats }] : [];
}

type TimesSharing = (column: FloatColumn) => FloatColumn;

/**
 * Series with the times of the one before get the same object of them: what is made of times is made once.
 */
function createTimesSharing(): TimesSharing {
  let last: Float64Array = new Float64Array(0);
  return (column) => {
    const { timestampsMs } = column;
    if (areSameNumbers(timestampsMs, last)) return { ...column, timestampsMs: last };
    last = timestampsMs;
    return column;
  };
}

function areSameNumbers(a: Float64Array, b: Float64Array): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}

function inOrder<Column extends FloatColumn | HistogramColumn>(columns: readonly Column[]): Column[] {
  const first = ({ timestampsMs }: Column) => timestampsMs[0] ?? Infinity;
  return columns.filter((each) => each.timestampsMs.length > 0).toSorted((a, b) => first(a) - first(b));
}
