import { join } from "node:path";
import {
  CorruptionError,
  readFloat,
  readVarint,
  createSink,
  takeBytes,
  writeFloat,
  writeVarint,
} from "../codec/bytes.ts";
import type { TimeRange } from "../columns.ts";
import { readFile, replaceFile, type Disk } from "../disk.ts";

/** By series, what is not to be read any more, until the block is written again without it. */
export type Tombstones = ReadonlyMap<number, readonly TimeRange[]>;

const FILE = "tombstones";

/** None when the block has no such file. */
export function readTombstones(disk: Disk, directory: string): Tombstones {
  const path = join(directory, FILE);
  const tombstones = new Map<number, TimeRange[]>();
  if (!disk.existsSync(path)) return tombstones;
  const source = { bytes: readFile(disk, path), at: 0 };
  const count = readVarint(source);
  for (let nth = 0; nth < count; nth++) {
    const series = readVarint(source);
    const range = { fromMs: readFloat(source), beforeMs: readFloat(source) };
    tombstones.set(series, [...(tombstones.get(series) ?? []), range]);
  }
  if (source.at !== source.bytes.length) throw new CorruptionError("tombstones has bytes behind its end");
  return tombstones;
}

/** Replaces the file, whole or not at all. */
export function writeTombstones(disk: Disk, directory: string, tombstones: Tombstones): void {
  const rows = [...tombstones].flatMap(([series, ranges]) => ranges.map((range) => ({ series, range })));
  const sink = createSink();
  writeVarint(sink, rows.length);
  for (const { series, range } of rows) {
    writeVarint(sink, series);
    writeFloat(sink, range.fromMs);
    writeFloat(sink, range.beforeMs);
  }
  replaceFile(disk, join(directory, FILE), takeBytes(sink));
}
