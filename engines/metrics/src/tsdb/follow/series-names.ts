import type { Labels } from "../../labels.ts";
import type { Disk } from "../disk.ts";
import type { Head } from "../head/head.ts";
import { checkpointBefore, listLog, openFrameFile, type LogPosition } from "../wal/log-files.ts";
import { readRecords, type WalReader } from "../wal/wal-records.ts";

/**
 * What references stand for, for somebody who reads behind: series that have ended since then are not
 * in the head any more, but the checkpoint before the segment names them, or the log from there on.
 */
export interface SeriesNames {
  find(ref: number): Labels | null;
  /** A series that the log names where it is being read. */
  add(ref: number, labels: Labels): void;
  /** Reading goes on in this segment: what an older checkpoint named is forgotten. */
  enter(segment: number): void;
  /** Reads what the log names before a place; again only when series have left the head since then. */
  load(before: LogPosition): Promise<void>;
}

export interface SeriesNamesDependencies {
  disk: Disk;
  directory: string;
  head: Pick<Head, "byRef" | "postings">;
  pause: () => Promise<void>;
}

export function createSeriesNames({ disk, directory, head, pause }: SeriesNamesDependencies): SeriesNames {
  const ended = new Map<number, Labels>();
  let segment = -1;
  let checkpoint = -1;
  /** Made anew when series leave the head. */
  let loadedWith: Head["postings"] | null = null;

  const add = (ref: number, labels: Labels): void => {
    if (!head.byRef.has(ref)) ended.set(ref, labels);
  };

  return {
    find: (ref) => head.byRef.get(ref)?.labels ?? ended.get(ref) ?? null,
    add,
    enter(entered) {
      if (entered === segment) return;
      segment = entered;
      const before = checkpointBefore(listLog(disk, directory), entered);
      if (before === checkpoint) return;
      checkpoint = before;
      loadedWith = null;
      ended.clear();
    },
    async load(before) {
      if (loadedWith === head.postings) return;
      loadedWith = head.postings;
      const reader = namesReader(add);
      const files = listLog(disk, directory).filter(
        ({ kind, number }) => kind !== "draft" && number >= checkpoint && number <= before.segment,
      );
      for (const { name, number } of files) {
        const file = openFrameFile(disk, directory, name);
        if (file === null) continue;
        const limitBytes = number === before.segment ? before.offset : Infinity;
        try {
          for (let frame = file.read(0, limitBytes); frame; frame = file.read(frame.end, limitBytes)) {
            readRecords(frame.payload, reader);
            await pause();
          }
        } finally {
          file.close();
        }
      }
    },
  };
}

const nothing = (): void => {};

/** Reads nothing but the names of series. */
function namesReader(onSeries: WalReader["onSeries"]): WalReader {
  return {
    ...{ onSeries, onSamples: nothing, onHistogram: nothing, onExemplar: nothing, onMetadata: nothing },
    ...{ onDeletion: nothing, onChunk: nothing, onCut: nothing, onPassedOver: nothing, onNextRef: nothing },
  };
}
