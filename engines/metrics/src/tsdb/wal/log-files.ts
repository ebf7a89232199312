import { crc32 } from "node:zlib";
import { join } from "node:path";
import { viewOf } from "../codec/bytes.ts";
import { listNames, readRange, type Disk } from "../disk.ts";

/** Length and CRC-32 of what follows, both little-endian. */
export const FRAME_HEADER_BYTES = 8;
const LARGEST_FRAME_BYTES = 256 * 2 ** 20;
const READ_BYTES = 256 * 1024;

/** A place in the log, between two frames. */
export interface LogPosition {
  segment: number;
  offset: number;
}

export interface LogFile {
  name: string;
  /** Segments and checkpoints are numbered together, in the order in which they were begun. */
  number: number;
  /** draft: a checkpoint that was never finished. */
  kind: "wal" | "checkpoint" | "draft";
}

export function nameOf(number: number, kind: "wal" | "checkpoint"): string {
  return `${String(number).padStart(10, "0")}.${kind}`;
}

/** What lies in the directory of a log, in the order of the numbers. */
export function listLog(disk: Disk, directory: string): LogFile[] {
  return listNames(disk, directory).flatMap((name): LogFile[] => {
    const number = Number.parseInt(name, 10);
    if (!Number.isInteger(number)) return [];
    const kind = name.endsWith(".wal") ? "wal" : name.endsWith(".checkpoint") ? "checkpoint" : "draft";
    return [{ name, number, kind }];
  });
}

/** The newest checkpoint that stands before a segment, or is its number; 0: there is none. */
export function checkpointBefore(files: readonly LogFile[], segment: number): number {
  return files.findLast(({ kind, number }) => kind === "checkpoint" && number <= segment)?.number ?? 0;
}

/** The frame at a place; null where it is cut off, or does not match its checksum. */
export function frameAt(bytes: Uint8Array, at: number): { payload: Uint8Array; end: number } | null {
  const length = lengthAt(bytes, at);
  const end = at + FRAME_HEADER_BYTES + length;
  if (length === 0 || length > LARGEST_FRAME_BYTES || end > bytes.length) return null;
  const payload = bytes.subarray(at + FRAME_HEADER_BYTES, end);
  return crc32(payload) === viewOf(bytes).getUint32(at + 4, true) ? { payload, end } : null;
}

/** Of the payload; 0 where there is no whole header. */
function lengthAt(bytes: Uint8Array, at: number): number {
  return at + FRAME_HEADER_BYTES <= bytes.length ? viewOf(bytes).getUint32(at, true) : 0;
}

/** Reads a file of the log frame by frame, also while it is being written. */
export interface FrameFile {
  /** The frame at this place, if it ends before the limit. */
  read(offset: number, limitBytes: number): { payload: Uint8Array; end: number } | null;
  sizeBytes(): number;
  close(): void;
}

/** Opens a file of the log; null: there is none. */
export function openFrameFile(disk: Disk, directory: string, name: string): FrameFile | null {
  const path = join(directory, name);
  if (!disk.existsSync(path)) return null;
  const fd = disk.openSync(path, "r");
  let buffer: Uint8Array = new Uint8Array(0);
  let bufferAt = 0;

  /** Bytes from a place on, of which at least so many are there, if the file has them. */
  function window(offset: number, neededBytes: number, limitBytes: number): Uint8Array {
    if (offset < bufferAt || offset + neededBytes > bufferAt + buffer.length) {
      const sizeBytes = Math.max(0, Math.min(limitBytes - offset, Math.max(neededBytes, READ_BYTES)));
      buffer = readRange(disk, fd, { position: offset, sizeBytes });
      bufferAt = offset;
    }
    return buffer.subarray(offset - bufferAt, Math.max(0, limitBytes - bufferAt));
  }

  return {
    read(offset, limitBytes) {
      const length = lengthAt(window(offset, FRAME_HEADER_BYTES, limitBytes), 0);
      if (length === 0 || length > LARGEST_FRAME_BYTES) return null;
      const found = frameAt(window(offset, FRAME_HEADER_BYTES + length, limitBytes), 0);
      return found && { payload: found.payload, end: offset + found.end };
    },
    sizeBytes: () => disk.fstatSync(fd).size,
    close: () => disk.closeSync(fd),
  };
}
