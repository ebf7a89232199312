import { join } from "node:path";
import { listNames, readFile, removeTree, replaceFile, type Disk } from "../disk.ts";
import type { LogPosition } from "../wal/log-files.ts";

/** How far somebody has read a log, in a file of its own. */

const SUFFIX = ".json";

/** Null: nobody of that name has read as yet, or the file is none of ours. */
export function readCursor(disk: Disk, directory: string, name: string): LogPosition | null {
  const path = join(directory, name + SUFFIX);
  if (!disk.existsSync(path)) return null;
  try {
    const written: unknown = JSON.parse(new TextDecoder().decode(readFile(disk, path)));
    if (typeof written !== "object" || written === null) return null;
    const { segment, offset } = { segment: null, offset: null, ...written };
    return isPlace(segment) && isPlace(offset) ? { segment, offset } : null;
  } catch (cause) {
    if (cause instanceof SyntaxError) return null;
    throw cause;
  }
}

function isPlace(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** Replaces it whole or not at all, and outlives a power cut. */
export function writeCursor(
  { disk, directory }: { disk: Disk; directory: string },
  name: string,
  position: LogPosition,
): void {
  disk.mkdirSync(directory, { recursive: true });
  replaceFile(disk, join(directory, name + SUFFIX), new TextEncoder().encode(JSON.stringify(position)));
}

/** Removes what others than these have left. */
export function forgetCursors(disk: Disk, directory: string, except: readonly string[]): void {
  const kept = new Set(except.map((name) => name + SUFFIX));
  for (const name of listNames(disk, directory)) if (!kept.has(name)) removeTree(disk, join(directory, name));
}
