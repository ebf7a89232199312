import type { Labels } from "../labels.ts";
import type { Disk } from "../tsdb/disk.ts";
import { compareBytes } from "../wire/chunks/compare-bytes.ts";
import { BlockBytes, createFile, type FileWriter } from "./file-writer.ts";

/** A series of a block: its labels, and where its chunks lie. */
export interface IndexedSeries {
  labels: Labels;
  /** In the order of time, none overlapping another. */
  chunks: readonly IndexedChunk[];
}

export interface IndexedChunk {
  minMs: number;
  maxMs: number;
  place: number;
}

const MAGIC = 0xbaaa_d700;
const VERSION = 2;
/** A series is known by its place divided by this. */
const SERIES_ALIGNMENT = 16;
const POSTINGS_ALIGNMENT = 4;
const LABEL_PAIR = 2;
/** Sections that nothing reads any more are not there. */
const ABSENT = 0;

/**
 * Writes the index of a block, of series in their order. (Prometheus, "Index Disk Format".)
 */
export function writeIndex(disk: Disk, path: string, series: readonly IndexedSeries[]): void {
  const file = createFile(disk, path);
  const bytes = new BlockBytes();
  bytes.word(MAGIC);
  bytes.byte(VERSION);
  file.write(bytes.view());
  const symbolsAt = file.position();
  const symbols = writeSymbols(file, series);
  const { seriesAt, postings } = writeSeries(file, series, symbols);
  file.align(POSTINGS_ALIGNMENT);
  const postingsAt = file.position();
  const table = writePostings(file, postings);
  const tableAt = file.position();
  writeSection(file, table);
  bytes.clear();
  for (const place of [symbolsAt, seriesAt, ABSENT, ABSENT, postingsAt, tableAt]) bytes.wide(place);
  bytes.sum();
  file.write(bytes.view());
  file.close();
}

/** Length, content, checksum. */
function writeSection(file: FileWriter, content: BlockBytes): void {
  const head = new BlockBytes();
  head.word(content.view().length);
  file.write(head.view());
  content.sum();
  file.write(content.view());
}

function writeSymbols(file: FileWriter, series: readonly IndexedSeries[]): Map<string, number> {
  const texts = new Set<string>();
  for (const { labels } of series) {
    for (const name of labels.names) texts.add(name);
    for (const value of labels.values) texts.add(value);
  }
  const sorted = [...texts].toSorted(compareBytes);
  const content = new BlockBytes();
  content.word(sorted.length);
  for (const text of sorted) content.text(text);
  writeSection(file, content);
  return new Map(sorted.map((text, index) => [text, index]));
}

/** Which series have which label, by name and value. */
type Postings = Map<string, Map<string, number[]>>;

function writeSeries(
  file: FileWriter,
  series: readonly IndexedSeries[],
  symbols: ReadonlyMap<string, number>,
) {
  const postings: Postings = new Map();
  const add = (name: string, value: string, id: number): void => {
    const byValue = postings.get(name) ?? new Map<string, number[]>();
    const ids = byValue.get(value) ?? [];
    ids.push(id);
    postings.set(name, byValue.set(value, ids));
  };
  const [head, entry] = [new BlockBytes(), new BlockBytes()];
  file.align(SERIES_ALIGNMENT);
  const seriesAt = file.position();
  for (const each of series) {
    file.align(SERIES_ALIGNMENT);
    const id = file.position() / SERIES_ALIGNMENT;
    const { names, values } = each.labels;
    add("", "", id);
    names.forEach((name, index) => add(name, values[index] ?? "", id));
    encodeSeries(entry, each, symbols);
    head.clear();
    head.varint(entry.view().length);
    file.write(head.view());
    entry.sum();
    file.write(entry.view());
  }
  return { seriesAt, postings };
}

function encodeSeries(
  entry: BlockBytes,
  { labels, chunks }: IndexedSeries,
  symbols: ReadonlyMap<string, number>,
): void {
  entry.clear();
  entry.varint(labels.names.length);
  labels.names.forEach((name, index) => {
    entry.varint(symbols.get(name) ?? 0);
    entry.varint(symbols.get(labels.values[index] ?? "") ?? 0);
  });
  entry.varint(chunks.length);
  let before: IndexedChunk | null = null;
  for (const chunk of chunks) {
    if (before === null) entry.zigzag(chunk.minMs);
    else entry.varint(chunk.minMs - before.maxMs);
    entry.varint(chunk.maxMs - chunk.minMs);
    if (before === null) entry.varint(chunk.place);
    else entry.zigzag(chunk.place - before.place);
    before = chunk;
  }
}

/** Answers the table of where each list lies. */
function writePostings(file: FileWriter, postings: Postings): BlockBytes {
  const table = new BlockBytes();
  const list = new BlockBytes();
  const lists = [...postings]
    .toSorted(([a], [b]) => compareBytes(a, b))
    .flatMap(([name, byValue]) =>
      [...byValue].toSorted(([a], [b]) => compareBytes(a, b)).map(([value, ids]) => ({ name, value, ids })),
    );
  table.word(lists.length);
  for (const { name, value, ids } of lists) {
    file.align(POSTINGS_ALIGNMENT);
    table.byte(LABEL_PAIR);
    table.text(name);
    table.text(value);
    table.varint(file.position());
    list.clear();
    list.word(ids.length);
    for (const id of ids) list.word(id);
    writeSection(file, list);
  }
  return table;
}
