import { crc32 } from "node:zlib";
import { join } from "node:path";
import { viewOf, type ByteSink } from "../codec/bytes.ts";
import { listNames, readFile, removeTree, replaceFile, syncDirectory, writeAll, type Disk } from "../disk.ts";

/** Length and CRC-32 of what follows, both little-endian. */
export const FRAME_HEADER_BYTES = 8;
const LARGEST_FRAME_BYTES = 256 * 2 ** 20;

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
  sizeBytes(): number;
  close(): void;
}

interface OpenSegment {
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
}

/**
 * A write-ahead log in numbered segments. After a start a new segment is begun: torn tails stay as they are.
 */
export function createWal(settings: WalSettings): Wal {
  const { disk, directory } = settings;
  disk.mkdirSync(directory, { recursive: true });
  const numbers = listNames(disk, directory).map((name) => Number.parseInt(name, 10));
  const nextNumber = Math.max(0, ...numbers.filter(Number.isInteger)) + 1;
  const state: State = { settings, open: null, nextNumber, isDirty: false, closedBytes: 0 };
  return {
    replay: (onFrame) => replay(state, onFrame),
    append: (sink) => append(state, sink),
    sync: () => sync(state),
    checkpoint: (frames) => checkpoint(state, frames),
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
 * The newest checkpoint and what was written after it; older files are what a crash kept from being removed.
 */
function currentNames(disk: Disk, directory: string): string[] {
  const names = listNames(disk, directory);
  const checkpointName = names.findLast((name) => name.endsWith(".checkpoint"));
  const segments = names.filter((name) => name.endsWith(".wal"));
  if (checkpointName === undefined) return segments;
  return [checkpointName, ...segments.filter((name) => name > checkpointName)];
}

/** Reads frames until one is cut off or does not match its checksum; says where that is. */
function readFrames(bytes: Uint8Array, onFrame: (payload: Uint8Array) => void): number {
  const view = viewOf(bytes);
  let at = 0;
  while (at + FRAME_HEADER_BYTES <= bytes.length) {
    const length = view.getUint32(at, true);
    const end = at + FRAME_HEADER_BYTES + length;
    if (length === 0 || length > LARGEST_FRAME_BYTES || end > bytes.length) return at;
    const payload = bytes.subarray(at + FRAME_HEADER_BYTES, end);
    if (crc32(payload) !== view.getUint32(at + 4, true)) return at;
    onFrame(payload);
    at = end;
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
  const fd = disk.openSync(join(directory, nameOf(state.nextNumber, "wal")), "wx");
  state.nextNumber++;
  syncDirectory(disk, directory);
  return { fd, sizeBytes: 0 };
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
  for (const each of listNames(disk, directory).filter((other) => other < name)) {
    removeTree(disk, join(directory, each));
  }
  state.closedBytes = frames.length;
}

function nameOf(number: number, kind: "wal" | "checkpoint"): string {
  return `${String(number).padStart(10, "0")}.${kind}`;
}
