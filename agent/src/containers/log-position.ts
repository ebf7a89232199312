import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { LogFrame } from "./log-frames.ts";

/** The time of the last frame that was written of a stream, and how many with that time were. */
interface StreamPosition {
  at: string;
  count: number;
}

interface Saved {
  container: string;
  streams: Partial<Record<LogFrame["stream"], StreamPosition>>;
}

/** How far a container's output was copied: kept in a file, so that the next agent goes on from there. */
export interface LogPosition {
  /** From when on the engine is asked, in seconds: a little earlier than what is new. */
  sinceSeconds(): number;
  /** The frames that were not copied before. To be called anew, with `rewind`, for each answer. */
  take(frames: LogFrame[]): LogFrame[];
  rewind(): void;
  save(): void;
}

/**
 * Engines tell times to the nanosecond or to the second, so frames of the last time are counted: as many of
 * them are passed over as were copied.
 */
export function openLogPosition(path: string, container: string): LogPosition {
  const saved = readSaved(path);
  const streams: Saved["streams"] = saved?.container === container ? saved.streams : {};
  let resumed: Saved["streams"] = {};
  let seen: Partial<Record<LogFrame["stream"], number>> = {};

  function isNew({ stream, at }: LogFrame): boolean {
    const from = resumed[stream];
    if (!from || at > from.at) return true;
    if (at < from.at) return false;
    seen[stream] = (seen[stream] ?? 0) + 1;
    return (seen[stream] ?? 0) > from.count;
  }

  return {
    sinceSeconds() {
      const times = Object.values(streams).map((each) => Math.floor(Date.parse(each.at) / 1000) - 1);
      return Math.max(0, times.length === 0 ? 0 : Math.min(...times));
    },
    rewind() {
      resumed = structuredClone(streams);
      seen = {};
    },
    take(frames) {
      const fresh = frames.filter(isNew);
      for (const { stream, at } of fresh) {
        const count = streams[stream]?.at === at ? (streams[stream]?.count ?? 0) : 0;
        streams[stream] = { at, count: count + 1 };
      }
      return fresh;
    },
    save() {
      writeFileSync(`${path}.new`, JSON.stringify({ container, streams }), { mode: 0o640 });
      renameSync(`${path}.new`, path);
    },
  };
}

function readSaved(path: string): Saved | null {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Saved;
  } catch {
    // Nothing was copied yet.
    return null;
  }
}
