import { join } from "node:path";
import { crc32, zstdDecompressSync } from "node:zlib";
import type { Labels } from "../../labels.ts";
import type { FloatColumn, HistogramColumn } from "../../storage.ts";
import { CorruptionError } from "../codec/bytes.ts";
import { readHistograms } from "../codec/histogram-column.ts";
import { readTimes } from "../codec/time-column.ts";
import { readValues } from "../codec/value-column.ts";
import {
  histogramsWithoutRanges,
  joinFloats,
  joinHistograms,
  NO_HISTOGRAMS,
  sliceFloats,
  sliceHistograms,
  withoutRanges,
  type TimeRange,
} from "../columns.ts";
import { readFile, readRange, replaceFile, type Disk } from "../disk.ts";
import type { CompiledMatcher } from "../index/compiled-matcher.ts";
import { addToPostings, createPostings, type Postings } from "../index/postings.ts";
import { selectIds } from "../index/select-ids.ts";
import {
  BUCKET_PARTS,
  bucketsWithoutRanges,
  createBuckets,
  joinBuckets,
  type BucketColumn,
} from "../tiers/buckets.ts";
import { CHUNK_KINDS, decodeIndex, type BlockIndex, type ChunkEntry, type ChunkKind } from "./block-index.ts";
import { readMeta, type BlockMeta } from "./block-meta.ts";
import { createCarver } from "./carver.ts";
import { createLru, type Lru } from "./lru.ts";
import { readTombstones, writeTombstones, type Tombstones } from "./tombstones.ts";

/** What all blocks of a store share: decoded pieces that were used last. */
export interface BlockCaches {
  indexes: Lru<LoadedIndex>;
  pages: Lru<Uint8Array>;
  times: Lru<Float64Array>;
  /** Arrays for what is decoded. */
  carve: (count: number) => Float64Array;
  /** Tells blocks apart in the keys of the others. */
  nextNumber: number;
}

interface LoadedIndex extends BlockIndex {
  postings: Postings;
  sizeBytes: number;
}

/** One sealed block. Everything that is read from it may throw CorruptionError. */
export interface BlockReader {
  readonly meta: BlockMeta;
  readonly directory: string;
  /** Positions of the series that match, in the order of their labels. */
  select(matchers: readonly CompiledMatcher[]): readonly number[];
  labelsOf(series: number): Labels;
  postings(): Postings;
  /** How many samples a read decodes. */
  countSamples(series: number, range: TimeRange): number;
  floats(series: number, range: TimeRange): FloatColumn;
  histograms(series: number, range: TimeRange): HistogramColumn;
  buckets(series: number, range: TimeRange): BucketColumn;
  tombstones(): Tombstones;
  /** Adds to what is hidden; it is on disk when this returns. */
  hide(added: Tombstones): void;
  /** Whether coarser blocks tell all that it holds. */
  isGathered(): boolean;
  markGathered(): void;
  close(): void;
}

/** An empty file that says so. */
const GATHERED_FILE = "gathered";
const KEYS_PER_BLOCK = 2 ** 28;

export function createBlockCaches(limits: { indexBytes: number; pageBytes: number }): BlockCaches {
  return {
    indexes: createLru(limits.indexBytes, (index) => index.sizeBytes),
    pages: createLru(limits.pageBytes, (page) => page.length),
    times: createLru(limits.pageBytes / 4, (times) => times.byteLength),
    carve: createCarver(),
    nextNumber: 0,
  };
}

interface State {
  disk: Disk;
  directory: string;
  meta: BlockMeta;
  caches: BlockCaches;
  number: number;
  pagesFd: number;
  tombstones: Tombstones;
}

/** Opens a block; its index and pages are read, and checked, when they are asked for. */
export function openBlock(disk: Disk, directory: string, caches: BlockCaches): BlockReader {
  const meta = readMeta(disk, directory);
  const pagesFd = disk.openSync(join(directory, "pages"), "r");
  const found = disk.fstatSync(pagesFd).size;
  if (found !== meta.pagesBytes) {
    disk.closeSync(pagesFd);
    throw new CorruptionError(`pages has ${found} bytes instead of ${meta.pagesBytes}`);
  }
  const number = caches.nextNumber++;
  const tombstones = readTombstones(disk, directory);
  return readerOf({ disk, directory, meta, caches, number, pagesFd, tombstones });
}

function readerOf(state: State): BlockReader {
  const labelsOf = (series: number) => seriesAt(state, series).labels;
  const hidden = (series: number) => state.tombstones.get(series) ?? [];
  return {
    meta: state.meta,
    directory: state.directory,
    labelsOf,
    select: (matchers) => selectIds({ postings: loadIndex(state).postings, labelsOf }, matchers),
    postings: () => loadIndex(state).postings,
    countSamples: (series, range) =>
      seriesAt(state, series).chunks.reduce((sum, chunk) => sum + countIn(state, chunk, range), 0),
    floats: (series, range) =>
      withoutRanges(sliceFloats(joinFloats(decodeFloats(state, series, range)), range), hidden(series)),
    histograms: (series, range) => {
      const found = decodeHistograms(state, series, range);
      if (found.length === 0) return NO_HISTOGRAMS;
      return histogramsWithoutRanges(sliceHistograms(joinHistograms(found), range), hidden(series));
    },
    buckets: (series, range) =>
      bucketsWithoutRanges(joinBuckets(decodeBuckets(state, series, range), state.meta.resolutionMs), [
        ...hidden(series),
        ...outside(range),
      ]),
    tombstones: () => state.tombstones,
    hide: (added) => hide(state, added),
    isGathered: () => state.meta.gathered || state.disk.existsSync(join(state.directory, GATHERED_FILE)),
    markGathered: () => replaceFile(state.disk, join(state.directory, GATHERED_FILE), new Uint8Array(0)),
    close: () => state.disk.closeSync(state.pagesFd),
  };
}

function hide(state: State, added: Tombstones): void {
  const all = new Map(state.tombstones);
  for (const [series, ranges] of added) all.set(series, [...(all.get(series) ?? []), ...ranges]);
  writeTombstones(state.disk, state.directory, all);
  state.tombstones = all;
}

function outside({ fromMs, beforeMs }: TimeRange): TimeRange[] {
  return [
    { fromMs: -Infinity, beforeMs: fromMs },
    { fromMs: beforeMs, beforeMs: Infinity },
  ];
}

function loadIndex(state: State): LoadedIndex {
  return state.caches.indexes.get(state.number, () => {
    const file = readFile(state.disk, join(state.directory, "index"));
    const index = decodeIndex(file);
    const postings = createPostings();
    index.series.forEach(({ labels }, position) => addToPostings(postings, position, labels));
    const chunks = index.series.reduce((sum, each) => sum + each.chunks.length, 0);
    // Roughly what the objects take: labels with their key, postings, and a few numbers for each chunk.
    const sizeBytes = index.series.length * 900 + chunks * 64 + index.times.length * 80;
    return { ...index, postings, sizeBytes };
  });
}

function seriesAt(state: State, series: number): { labels: Labels; chunks: ChunkEntry[] } {
  const entry = loadIndex(state).series[series];
  if (entry === undefined) throw new RangeError(`${state.meta.id} has no series ${series}`);
  return entry;
}

function countIn(state: State, chunk: ChunkEntry, { fromMs, beforeMs }: TimeRange): number {
  const times = loadIndex(state).times[chunk.times];
  return times !== undefined && times.maxMs >= fromMs && times.minMs < beforeMs ? times.count : 0;
}

interface OpenChunk {
  timestampsMs: Float64Array;
  source: { bytes: Uint8Array; at: number };
}

/** The chunks of one kind that overlap the range, each at the beginning of its values. */
function* chunksIn(
  state: State,
  series: number,
  { kind, range }: { kind: ChunkKind; range: TimeRange },
): Generator<OpenChunk> {
  for (const chunk of seriesAt(state, series).chunks) {
    if (CHUNK_KINDS[chunk.kind] !== kind || countIn(state, chunk, range) === 0) continue;
    yield {
      timestampsMs: timesOf(state, chunk.times),
      source: { bytes: pageOf(state, chunk.page), at: chunk.at },
    };
  }
}

function decodeFloats(state: State, series: number, range: TimeRange): FloatColumn[] {
  return [...chunksIn(state, series, { kind: "floats", range })].map(({ timestampsMs, source }) => {
    const values = state.caches.carve(timestampsMs.length);
    readValues(source, values);
    return { timestampsMs, values };
  });
}

function decodeHistograms(state: State, series: number, range: TimeRange): HistogramColumn[] {
  return [...chunksIn(state, series, { kind: "histograms", range })].map(({ timestampsMs, source }) => ({
    timestampsMs,
    values: readHistograms(source, timestampsMs.length),
  }));
}

function decodeBuckets(state: State, series: number, range: TimeRange): BucketColumn[] {
  return [...chunksIn(state, series, { kind: "buckets", range })].map(({ timestampsMs, source }) => {
    const { parts } = createBuckets(timestampsMs.length);
    for (const part of BUCKET_PARTS) readValues(source, parts[part]);
    return { timestampsMs, parts };
  });
}

function timesOf(state: State, number: number): Float64Array {
  return state.caches.times.get(state.number * KEYS_PER_BLOCK + number, () => {
    const entry = loadIndex(state).times[number];
    if (entry === undefined) throw new CorruptionError(`there are no times ${number}`);
    const timestampsMs = new Float64Array(entry.count);
    readTimes({ bytes: pageOf(state, entry.page), at: entry.at }, timestampsMs);
    return timestampsMs;
  });
}

function pageOf(state: State, number: number): Uint8Array {
  return state.caches.pages.get(state.number * KEYS_PER_BLOCK + number, () => {
    const entry = loadIndex(state).pages[number];
    if (entry === undefined) throw new CorruptionError(`there is no page ${number}`);
    const bytes = readRange(state.disk, state.pagesFd, { position: entry.at, sizeBytes: entry.sizeBytes });
    if (bytes.length < entry.sizeBytes || crc32(bytes) !== entry.crc) {
      throw new CorruptionError(`page ${number} does not match its checksum`);
    }
    return zstdDecompressSync(bytes);
  });
}
