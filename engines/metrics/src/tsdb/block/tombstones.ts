import { join } from "node:path";
import { CorruptionError, readFloat, readVarint, createSink, takeBytes, writeFloat, writeVarint } from "../codec/bytes.ts";
import type { TimeRange } from "../columns.ts";
import { readFile, replaceFile, type Disk } from "../disk.ts";

/** Samples of one series that are not to be read any more, until the block is written again without them. */
export interface Tombstone {
  series: number;
  range: TimeRange;
}

const FILE = "tombstones";

/** None when the block has no such file. */
export function readTombstones(disk: Disk, directory: string): Tombstone[] {
  const path = join(directory, FILE);
  if (!disk.existsSync(path)) return [];
  const source = { bytes: readFile(disk, path), at: 0 };
  const tombstones = Array.from({ length: readVarint(source) }, () => ({
    series: readVarint(source),
    range: { fromMs: readFloat(source), beforeMs: readFloat(source) },
  }));
  if (source.at !== source.bytes.length) throw new CorruptionError("tombstones has bytes behind its end");
  return tombstones;
}

/** Replaces the file, whole or not at all. */
export function writeTombstones(disk: Disk, directory: string, tombstones: readonly Tombstone[]): void {
  const sink = createSink();
  writeVarint(sink, tombstones.length);
  for (const { series, range } of tombstones) {
    writeVarint(sink, series);
    writeFloat(sink, range.fromMs);
    writeFloat(sink, range.beforeMs);
  }
  replaceFile(disk, join(directory, FILE), takeBytes(sink));
}

export function rangesOf(tombstones: readonly Tombstone[], series: number): TimeRange[] {
  if (tombstones.length === 0) return [];
  return tombstones.filter((each) => each.series === series).map((each) => each.range);
}
