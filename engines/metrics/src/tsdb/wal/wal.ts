import { crc32 } from "node:zlib";
import { join } from "node:path";
import { viewOf, type ByteSink } from "../codec/bytes.ts";
import { readFile, removeTree, replaceFile, syncDirectory, writeAll, type Disk } from "../disk.ts";
import {
  checkpointBefore,
  FRAME_HEADER_BYTES,
  frameAt,
  listLog,
  nameOf,
  type LogPosition,
} from "./log-files.ts";

export interface WalSettings {
  disk: Disk;
  directory: string;
  segmentBytes: number;
}

/** What reading the log found. */
export interface WalReplay {
  segments: number;
  frames: number;
  bytes: number;
  /** Segments that end in bytes which are no frame: what a process that was killed had not finished. */
  tornSegments: number;
  tornBytes: number;
}

export interface Wal {
  /**
   * Hands out the payload of every frame in order: first the newest checkpoint, then the segments behind it.
   */
  replay(onFrame: (payload: Uint8Array) => void): WalReplay;
  /** One frame of what the sink holds behind its first FRAME_HEADER_BYTES; whole in the file, or an error. */
  append(sink: ByteSink): void;
  /** What was appended outlives a power cut once this returns. */
  sync(): void;
  /** Replaces all that was written by these frames: whole or not at all. */
  checkpoint(frames: Uint8Array): void;
  /** Where the next frame will stand, or behind it. */
  end(): LogPosition;
  /**
   * Keeps this segment and what follows, with the checkpoint before it, for somebody who reads behind; null
   * lets them go.
   */
  hold(holder: string, segment: number | null): void;
  /** Of what a start would read; what is kept for others comes on top. */
  sizeBytes(): number;
  close(): void;
}

interface OpenSegment {
  number: number;
  fd: number;
  sizeBytes: number;
}

interface State {
  settings: WalSettings;
  open: OpenSegment | null;
  nextNumber: number;
  isDirty: boolean;
  /** Of segments and checkpoint that are closed. */
  closedBytes: number;
  /** The first segment that each holder still needs. */
  holds: Map<string, number>;
}

/**
 * A write-ahead log in numbered segments. After a start a new segment is begun: torn tails stay as they are.
 */
export function createWal(settings: WalSettings): Wal {
  const { disk, directory } = settings;
  disk.mkdirSync(directory, { recursive: true });
  const nextNumber = Math.max(0, ...listLog(disk, directory).map(({ number }) => number)) + 1;
  const state: State = {
    ...{ settings, open: null, nextNumber, isDirty: false, closedBytes: 0, holds: new Map() },
  };
  return {
    replay: (onFrame) => replay(state, onFrame),
    append: (sink) => append(state, sink),
    sync: () => sync(state),
    checkpoint: (frames) => checkpoint(state, frames),
    end: () => ({ segment: state.open?.number ?? state.nextNumber, offset: state.open?.sizeBytes ?? 0 }),
    hold: (holder, segment) => hold(state, holder, segment),
    sizeBytes: () => state.closedBytes + (state.open?.sizeBytes ?? 0),
    close: () => closeSegment(state),
  };
}

/** Puts length and checksum into the first bytes of a sink whose payload is complete. */
export function sealFrame(sink: ByteSink): Uint8Array {
  const frame = sink.bytes.subarray(0, sink.at);
  const header = viewOf(frame);
  header.setUint32(0, frame.length - FRAME_HEADER_BYTES, true);
  header.setUint32(4, crc32(frame.subarray(FRAME_HEADER_BYTES)), true);
  return frame;
}

function replay(state: State, onFrame: (payload: Uint8Array) => void): WalReplay {
  const { disk, directory } = state.settings;
  const found: WalReplay = { segments: 0, frames: 0, bytes: 0, tornSegments: 0, tornBytes: 0 };
  for (const name of currentNames(disk, directory)) {
    const bytes = readFile(disk, join(directory, name));
    const end = readFrames(bytes, (payload) => {
      found.frames++;
      onFrame(payload);
    });
    found.segments++;
    found.bytes += bytes.length;
    if (end < bytes.length) found.tornSegments++;
    found.tornBytes += bytes.length - end;
  }
  state.closedBytes = found.bytes;
  return found;
}

/**
 * The newest checkpoint and what was written after it; older files are
 * kept for who reads behind, or are what a crash kept from being removed.
 */
function currentNames(disk: Disk, directory: string): string[] {
  const files = listLog(disk, directory);
  const from = checkpointBefore(files, Infinity);
  return files.filter(({ number, kind }) => number >= from && kind !== "draft").map(({ name }) => name);
}

/** Reads frames until one is cut off or does not match its checksum; says where that is. */
function readFrames(bytes: Uint8Array, onFrame: (payload: Uint8Array) => void): number {
  let at = 0;
  for (let frame = frameAt(bytes, at); frame !== null; frame = frameAt(bytes, at)) {
    onFrame(frame.payload);
    at = frame.end;
  }
  return at;
}

function append(state: State, sink: ByteSink): void {
  const frame = sealFrame(sink);
  if (state.open && state.open.sizeBytes + frame.length > state.settings.segmentBytes) closeSegment(state);
  const segment = (state.open ??= openSegment(state));
  try {
    writeAll(state.settings.disk, segment.fd, { bytes: frame, position: segment.sizeBytes });
  } catch (cause) {
    cutBack(state, segment);
    throw cause;
  }
  segment.sizeBytes += frame.length;
  state.isDirty = true;
}

/** Takes half a frame off again; where even that fails, the segment ends there as a torn one. */
function cutBack(state: State, segment: OpenSegment): void {
  try {
    state.settings.disk.ftruncateSync(segment.fd, segment.sizeBytes);
  } catch {
    closeSegment(state);
  }
}

function openSegment(state: State): OpenSegment {
  const { disk, directory } = state.settings;
  const number = state.nextNumber;
  const fd = disk.openSync(join(directory, nameOf(number, "wal")), "wx");
  state.nextNumber++;
  syncDirectory(disk, directory);
  return { number, fd, sizeBytes: 0 };
}

function closeSegment(state: State): void {
  const { open } = state;
  if (open === null) return;
  sync(state);
  state.settings.disk.closeSync(open.fd);
  state.closedBytes += open.sizeBytes;
  state.open = null;
}

function sync(state: State): void {
  if (!state.isDirty || state.open === null) return;
  state.settings.disk.fdatasyncSync(state.open.fd);
  state.isDirty = false;
}

function checkpoint(state: State, frames: Uint8Array): void {
  const { disk, directory } = state.settings;
  closeSegment(state);
  const name = nameOf(state.nextNumber, "checkpoint");
  replaceFile(disk, join(directory, name), frames);
  state.nextNumber++;
  state.closedBytes = frames.length;
  removeUnneeded(state);
}

function hold(state: State, holder: string, segment: number | null): void {
  if (segment === null) state.holds.delete(holder);
  else state.holds.set(holder, segment);
  removeUnneeded(state);
}

/** Removes what stands before the newest checkpoint and is held by nobody. */
function removeUnneeded({ settings: { disk, directory }, holds }: State): void {
  const files = listLog(disk, directory);
  const held = Math.min(Infinity, ...holds.values());
  const from = checkpointBefore(files, held);
  for (const { name, number } of files) if (number < from) removeTree(disk, join(directory, name));
}
