import type { Disk } from "../disk.ts";
import { listLog, nameOf, openFrameFile, type FrameFile, type LogPosition } from "../wal/log-files.ts";

export interface TailedFrame {
  payload: Uint8Array;
  /** Behind it. */
  end: LogPosition;
}

/** Reads segments of a log in their order, up to where it is being written. */
export interface LogTail {
  /** The next frame; null when there is none as yet. */
  next(): TailedFrame | null;
  position(): LogPosition;
  /** Bytes of segments that stand behind a place. */
  bytesFrom(place: LogPosition): number;
  close(): void;
}

export interface TailedLog {
  disk: Disk;
  directory: string;
  /** Where the next frame will be written. */
  end(): LogPosition;
}

/**
 * Starts at a place. What is torn at the end of a segment is passed
 * over, as it is when the log is replayed; so is a segment that is gone.
 */
export function createLogTail({ disk, directory, end }: TailedLog, from: LogPosition): LogTail {
  let at = from;
  let file: FrameFile | null = null;
  /** Of segments that do not grow any more. */
  const sizes = new Map<number, number>();

  const limitOf = (segment: number): number => {
    const last = end();
    return segment < last.segment ? Infinity : segment === last.segment ? last.offset : 0;
  };

  function readHere(): TailedFrame | null {
    const limitBytes = limitOf(at.segment);
    if (at.offset >= limitBytes) return null;
    file ??= openFrameFile(disk, directory, nameOf(at.segment, "wal"));
    const found = file?.read(at.offset, limitBytes) ?? null;
    return found && { payload: found.payload, end: { segment: at.segment, offset: found.end } };
  }

  /** To the next segment; false when this is the one that is being written. */
  function moveOn(): boolean {
    const last = end().segment;
    if (at.segment >= last) return false;
    const next = segmentsFrom(at.segment + 1)[0] ?? last;
    close();
    at = { segment: Math.min(next, last), offset: 0 };
    return true;
  }

  function segmentsFrom(first: number): number[] {
    return listLog(disk, directory)
      .filter(({ kind, number }) => kind === "wal" && number >= first)
      .map(({ number }) => number);
  }

  function sizeOf(segment: number): number {
    const limitBytes = limitOf(segment);
    if (limitBytes < Infinity) return limitBytes;
    const known = sizes.get(segment);
    if (known !== undefined) return known;
    const opened = openFrameFile(disk, directory, nameOf(segment, "wal"));
    const sizeBytes = opened?.sizeBytes() ?? 0;
    opened?.close();
    sizes.set(segment, sizeBytes);
    return sizeBytes;
  }

  function close(): void {
    file?.close();
    file = null;
  }

  return {
    next() {
      for (;;) {
        const frame = readHere();
        if (frame !== null) {
          at = frame.end;
          return frame;
        }
        if (!moveOn()) return null;
      }
    },
    position: () => at,
    bytesFrom({ segment: first, offset }) {
      for (const segment of sizes.keys()) if (segment < first) sizes.delete(segment);
      return segmentsFrom(first).reduce(
        (sum, segment) => sum + Math.max(0, sizeOf(segment) - (segment === first ? offset : 0)),
        0,
      );
    },
    close,
  };
}
