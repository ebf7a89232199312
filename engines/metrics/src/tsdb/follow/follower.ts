import { join } from "node:path";
import type { Labels } from "../../labels.ts";
import type { Metadata } from "../batch.ts";
import { isDiskFull } from "../disk.ts";
import type { StoreState } from "../store-state.ts";
import { listLog, type LogPosition } from "../wal/log-files.ts";
import { saysWhatWasPassedOver } from "../wal/wal-records.ts";
import { cursorPath, forgetCursors, readCursor, writeCursor, type Cursor } from "./cursor.ts";
import { readPassedOver, readTaken, without, type FollowedFrame } from "./followed-frame.ts";
import { createLogTail, type LogTail } from "./log-tail.ts";
import { createSeriesNames } from "./series-names.ts";

/**
 * Reads what a store takes in from its log, behind those that write it, and goes on after a restart where it
 * was. What it has not read is kept when the log is cut.
 */
export interface LogFollower {
  readonly name: string;
  /** Whether what followed its last place was gone when it was opened. */
  readonly hasGap: boolean;
  /** Where it was when it was opened. */
  readonly cursor: Cursor;
  /** What was taken in next; null: nothing as yet. */
  next(): FollowedFrame | null;
  /** Goes back to a place that has not been let go. */
  rewind(position: LogPosition): void;
  /** Makes labels known of the series of the frame, also of those that have ended since then. */
  nameSeries(frame: FollowedFrame): Promise<void>;
  /** Null: the log does not say. */
  labelsOf(ref: number): Labels | null;
  metadataOf(metric: string): Metadata | null;
  /** What is before it is not read again after a restart, and the log may let it go. */
  save(cursor: Cursor, options: { isDurable: boolean }): void;
  /** Gives up what is kept for it alone, without a word to the disk, which may be full. */
  letGo(position: LogPosition): void;
  position(): LogPosition;
  /** The first place that the store itself needs. */
  storeNeeds(): LogPosition;
  /** What stands in the log behind a place. */
  bytesFrom(place: LogPosition): number;
  /** Whether the disk has the room that is to be left free. */
  hasEnoughSpace(): boolean;
  /** The time of the newest sample that the store has; -Infinity without any. */
  newestMs(): number;
  close(): void;
}

const DIRECTORY = "followers";

/** Opens followers by their names; those that begin now see what comes from now on. Forgets all others. */
export function openFollowers(state: StoreState, names: readonly string[]): LogFollower[] {
  const { disk, directory } = state.settings;
  const place = join(directory, DIRECTORY);
  if (names.length > 0) disk.mkdirSync(place, { recursive: true });
  forgetCursors(disk, place, names);
  return names.map((name) => {
    const follower = openFollower(state, name);
    state.followers.set(name, follower);
    return follower;
  });
}

function openFollower(state: StoreState, name: string): LogFollower {
  const { settings, head, wal, metadata } = state;
  const { disk, pause } = settings;
  const directory = join(settings.directory, DIRECTORY);
  const path = cursorPath(directory, name);
  const log = { disk, directory: join(settings.directory, "wal") };
  const saved = readCursor(disk, directory, name);
  const isOfAnother = saved !== null && isBehind(wal.end(), saved.done);
  const cursor = isOfAnother ? BEGINNING : (saved ?? { done: { ...wal.end(), items: 0 }, until: null });
  const { done: from } = cursor;
  const names = createSeriesNames({ ...log, head, pause });
  const letGo = ({ segment }: LogPosition): void => wal.hold(name, segment);
  const save: LogFollower["save"] = (read, options) => {
    writeCursor({ disk, path }, read, options);
    // What is not on the platter for sure may be read again after a power cut.
    if (options.isDurable) letGo(read.done);
  };
  letGo(from);
  if (saved === null) begin(() => save(cursor, { isDurable: true }));
  names.enter(from.segment);
  const open = ({ segment, offset }: LogPosition) => {
    const tail = createLogTail({ ...log, end: wal.end }, { segment, offset });
    return createFrames(tail, { onSeries: names.add, onSegment: names.enter });
  };
  let frames = open(from);
  let named: { frame: FollowedFrame | null; with: unknown } = { frame: null, with: null };
  return {
    name,
    hasGap: isOfAnother || (saved !== null && isGone(log, from)),
    cursor,
    next: () => frames.next(),
    position: () => frames.position(),
    rewind(position) {
      frames.close();
      frames = open(position);
    },
    async nameSeries(frame) {
      // What was known is forgotten only when series leave the head, or the next checkpoint is reached.
      if (named.frame === frame && named.with === head.postings) return;
      named = { frame, with: head.postings };
      if (!knowsAll(frame, (ref) => names.find(ref) !== null)) await names.load(frame.start);
    },
    labelsOf: names.find,
    metadataOf: (metric) => metadata.get(metric) ?? null,
    ...{ save, letGo },
    storeNeeds: () => ({ segment: firstNeeded(log), offset: 0 }),
    bytesFrom: (place) => frames.bytesFrom(place),
    hasEnoughSpace: () => state.freeSpace.isEnough,
    newestMs: () => head.maxMs,
    close: () => frames.close(),
  };
}

/** A full disk keeps no store from being opened: the place is written down with the first that is read. */
function begin(save: () => void): void {
  try {
    save();
  } catch (cause) {
    if (!isDiskFull(cause)) throw cause;
  }
}

/** Everything that is there. */
const BEGINNING: Cursor = { done: { segment: 0, offset: 0, items: 0 }, until: null };

/** A place that the log has not reached is one of a log that was there before, and was taken away. */
function isBehind(end: LogPosition, { segment, offset }: LogPosition): boolean {
  return segment > end.segment || (segment === end.segment && offset > end.offset);
}

/** The rest of the segment that was being read is not there any more. */
function isGone(log: Log, { segment, offset }: LogPosition): boolean {
  return offset > 0 && !listLog(log.disk, log.directory).some(({ number }) => number === segment);
}

type Log = Pick<StoreState["settings"], "disk" | "directory">;

function firstNeeded({ disk, directory }: Log): number {
  return listLog(disk, directory).findLast(({ kind }) => kind === "checkpoint")?.number ?? 0;
}

interface Heard {
  onSeries(ref: number, labels: Labels): void;
  onSegment(segment: number): void;
}

/** Frames without what the head did not take, of which the frame behind tells. */
function createFrames(tail: LogTail, { onSeries, onSegment }: Heard) {
  let position = tail.position();
  let ahead = tail.next();
  return {
    /** Where nothing is there as yet, that may be in a later segment than the last frame. */
    position: () => (ahead === null ? tail.position() : position),
    bytesFrom: tail.bytesFrom,
    close: tail.close,
    next(): FollowedFrame | null {
      const frame = ahead ?? tail.next();
      if (frame === null) return null;
      const start = position.segment === frame.end.segment ? position : { ...frame.end, offset: 0 };
      onSegment(frame.end.segment);
      ahead = tail.next();
      position = frame.end;
      const read = { start, end: frame.end, ...readTaken(frame.payload, onSeries) };
      if (ahead === null || !saysWhatWasPassedOver(ahead.payload)) return read;
      const passed = readPassedOver(ahead.payload);
      position = ahead.end;
      ahead = null;
      return without({ ...read, end: position }, passed);
    },
  };
}

function knowsAll(
  { samples, histograms, exemplars }: FollowedFrame,
  knows: (ref: number) => boolean,
): boolean {
  return (
    samples.every(({ refs, count }) => refs.subarray(0, count).every(knows)) &&
    histograms.every(({ ref }) => knows(ref)) &&
    exemplars.every(({ ref }) => knows(ref))
  );
}
