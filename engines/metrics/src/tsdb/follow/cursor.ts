import { join } from "node:path";
import { listNames, readFile, removeTree, replaceFile, writeAll, type Disk } from "../disk.ts";
import type { LogPosition } from "../wal/log-files.ts";

/** A place within a frame: so many of the samples of the frame that begins there are done with. */
export interface ReadingPlace extends LogPosition {
  items: number;
}

/** How far somebody has read a log, in a file of its own. */
export interface Cursor {
  /** What is before is done with. */
  done: ReadingPlace;
  /** The end of what is being handed on right now: after a crash the very same is handed on again. */
  until: ReadingPlace | null;
}

const SUFFIX = ".json";

/** Null: nobody of that name has read as yet, or the file is none of ours. */
export function readCursor(disk: Disk, directory: string, name: string): Cursor | null {
  const path = cursorPath(directory, name);
  if (!disk.existsSync(path)) return null;
  try {
    const written: unknown = JSON.parse(new TextDecoder().decode(readFile(disk, path)));
    const { done, until } = { done: null, until: null, ...asObject(written) };
    const place = readPlace(done);
    return place && { done: place, until: readPlace(until) };
  } catch (cause) {
    if (cause instanceof SyntaxError) return null;
    throw cause;
  }
}

function readPlace(written: unknown): ReadingPlace | null {
  const { segment, offset, items } = { segment: null, offset: null, items: null, ...asObject(written) };
  return isCount(segment) && isCount(offset) && isCount(items) ? { segment, offset, items } : null;
}

function asObject(written: unknown): object {
  return typeof written === "object" && written !== null ? written : {};
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/**
 * Replaces it whole or not at all. A process that is killed finds it as it was
 * written last, after a power cut it is as it was when it was last written durably.
 */
export function writeCursor(
  { disk, path }: { disk: Disk; path: string },
  cursor: Cursor,
  { isDurable }: { isDurable: boolean },
): void {
  const bytes = new TextEncoder().encode(JSON.stringify(cursor));
  if (isDurable) return replaceFile(disk, path, bytes);
  const draft = `${path}.tmp`;
  const fd = disk.openSync(draft, "w");
  try {
    writeAll(disk, fd, { bytes, position: 0 });
  } finally {
    disk.closeSync(fd);
  }
  disk.renameSync(draft, path);
}

export function cursorPath(directory: string, name: string): string {
  return join(directory, name + SUFFIX);
}

/** Removes what others than these have left. */
export function forgetCursors(disk: Disk, directory: string, except: readonly string[]): void {
  const kept = new Set(except.map((name) => name + SUFFIX));
  for (const name of listNames(disk, directory)) if (!kept.has(name)) removeTree(disk, join(directory, name));
}
