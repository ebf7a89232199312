import { crc32, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { sortedLabels, type Labels } from "../../labels.ts";
import {
  CorruptionError,
  createSink,
  readSigned,
  readText,
  readVarint,
  takeBytes,
  viewOf,
  writeRaw,
  writeSigned,
  writeText,
  writeVarint,
  type ByteSink,
  type ByteSource,
} from "../codec/bytes.ts";

const MAGIC = 0x3149_544d; // "MTI1" as it stands in the file
const HEADER_BYTES = 8;

/** Where a page lies in the file `pages`. */
export interface PageEntry {
  at: number;
  sizeBytes: number;
  crc: number;
}

/** A column of times that any number of chunks share. */
export interface TimesEntry {
  page: number;
  at: number;
  count: number;
  minMs: number;
  maxMs: number;
}

export type ChunkKind = "floats" | "histograms" | "buckets";
export const CHUNK_KINDS: readonly ChunkKind[] = ["floats", "histograms", "buckets"];

export interface ChunkEntry {
  kind: number;
  times: number;
  page: number;
  at: number;
}

export interface SeriesEntry {
  labels: Labels;
  chunks: ChunkEntry[];
}

/** What the file `index` of a block holds. */
export interface BlockIndex {
  pages: PageEntry[];
  times: TimesEntry[];
  series: SeriesEntry[];
}

export function encodeIndex(index: BlockIndex): Uint8Array {
  const body = createSink(64 * 1024);
  writePages(body, index.pages);
  writeTimesTable(body, index.times);
  writeSeriesTable(body, index.series);
  const compressed = zstdCompressSync(takeBytes(body));
  const file = createSink(compressed.length + HEADER_BYTES);
  file.at = HEADER_BYTES;
  writeRaw(file, compressed);
  const header = viewOf(file.bytes);
  header.setUint32(0, MAGIC, true);
  header.setUint32(4, crc32(compressed), true);
  return takeBytes(file);
}

/** Refuses bytes that are not what was written. */
export function decodeIndex(file: Uint8Array): BlockIndex {
  if (file.length < HEADER_BYTES) throw new CorruptionError("the index is cut off");
  const header = viewOf(file);
  const compressed = file.subarray(HEADER_BYTES);
  if (header.getUint32(0, true) !== MAGIC) throw new CorruptionError("the index does not begin like one");
  if (header.getUint32(4, true) !== crc32(compressed))
    throw new CorruptionError("the index does not match its checksum");
  const source: ByteSource = { bytes: zstdDecompressSync(compressed), at: 0 };
  return { pages: readPages(source), times: readTimesTable(source), series: readSeriesTable(source) };
}

function writePages(sink: ByteSink, pages: readonly PageEntry[]): void {
  writeVarint(sink, pages.length);
  for (const { at, sizeBytes, crc } of pages) {
    writeVarint(sink, at);
    writeVarint(sink, sizeBytes);
    writeVarint(sink, crc);
  }
}

function readPages(source: ByteSource): PageEntry[] {
  return Array.from({ length: readVarint(source) }, () => ({
    at: readVarint(source),
    sizeBytes: readVarint(source),
    crc: readVarint(source),
  }));
}

function writeTimesTable(sink: ByteSink, times: readonly TimesEntry[]): void {
  writeVarint(sink, times.length);
  let previousMs = 0;
  for (const { page, at, count, minMs, maxMs } of times) {
    writeVarint(sink, page);
    writeVarint(sink, at);
    writeVarint(sink, count);
    writeSigned(sink, minMs - previousMs);
    writeVarint(sink, maxMs - minMs);
    previousMs = minMs;
  }
}

function readTimesTable(source: ByteSource): TimesEntry[] {
  let previousMs = 0;
  return Array.from({ length: readVarint(source) }, () => {
    const [page, at, count] = [readVarint(source), readVarint(source), readVarint(source)];
    const minMs = previousMs + readSigned(source);
    previousMs = minMs;
    return { page, at, count, minMs, maxMs: minMs + readVarint(source) };
  });
}

/** Words once, then each series as numbers of words; chunks as distances from the chunk before. */
function writeSeriesTable(sink: ByteSink, series: readonly SeriesEntry[]): void {
  const words = new Map<string, number>();
  const numberOf = (word: string) => words.get(word) ?? 0;
  for (const { labels } of series) {
    for (const word of [...labels.names, ...labels.values]) if (!words.has(word)) words.set(word, words.size);
  }
  writeVarint(sink, words.size);
  for (const word of words.keys()) writeText(sink, word);
  writeVarint(sink, series.length);
  let previous: ChunkEntry = { kind: 0, times: 0, page: 0, at: 0 };
  for (const { labels, chunks } of series) {
    writeVarint(sink, labels.names.length);
    labels.names.forEach((name, index) => {
      writeVarint(sink, numberOf(name));
      writeVarint(sink, numberOf(labels.values[index] ?? ""));
    });
    writeVarint(sink, chunks.length);
    for (const chunk of chunks) {
      writeVarint(sink, chunk.kind);
      writeSigned(sink, chunk.times - previous.times);
      writeSigned(sink, chunk.page - previous.page);
      writeSigned(sink, chunk.at - previous.at);
      previous = chunk;
    }
  }
}

function readSeriesTable(source: ByteSource): SeriesEntry[] {
  const words = Array.from({ length: readVarint(source) }, () => readText(source));
  let previous: ChunkEntry = { kind: 0, times: 0, page: 0, at: 0 };
  const readChunk = (): ChunkEntry => {
    const kind = readVarint(source);
    const times = previous.times + readSigned(source);
    const page = previous.page + readSigned(source);
    previous = { kind, times, page, at: previous.at + readSigned(source) };
    return previous;
  };
  return Array.from({ length: readVarint(source) }, () => {
    const labels = readWordLabels(source, words);
    return { labels, chunks: Array.from({ length: readVarint(source) }, readChunk) };
  });
}

function readWordLabels(source: ByteSource, words: readonly string[]): Labels {
  const names: string[] = [];
  const values: string[] = [];
  const count = readVarint(source);
  for (let index = 0; index < count; index++) {
    names.push(words[readVarint(source)] ?? "");
    values.push(words[readVarint(source)] ?? "");
  }
  return sortedLabels(names, values);
}
