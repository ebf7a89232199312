import type { FollowedFrame, LogFollower, ReadingPlace } from "@mainstay/metrics/tsdb";
import type { Clock } from "../../../../kernel/clock.ts";
import type { Attempt } from "../upkeep.ts";
import { itemsOf, type OutgoingBatch } from "./outgoing-batch.ts";

/** Reads what is to be sent, and remembers how far that is done. */
export interface Reading {
  /** What is before is done with. */
  done(): ReadingPlace;
  /** Takes what is there into the batch; true once that is to be sent, false when there may be more of it. */
  fill(batch: OutgoingBatch): Promise<boolean>;
  /** Whether what is read next was under way already when the process ended the last time. */
  isRepeating(): boolean;
  /** The batch is being sent: after a crash the very same is read again. */
  begin(batch: OutgoingBatch): Promise<void>;
  /** The batch is done with. */
  finish(batch: OutgoingBatch): Promise<void>;
  /** Nothing is there as yet. */
  rest(): Promise<void>;
  /** Gives up frame after frame while that is wanted. */
  skipWhile(isWanted: IsWanted, onSkipped: (samples: number) => void): Promise<void>;
  /** Reads again from what is done on. */
  rewind(): void;
  end(): Promise<void>;
}

export type IsWanted = (next: FollowedFrame, skippedBytes: number) => boolean;

export interface ReadingDependencies {
  follower: LogFollower;
  clock: Clock;
  /** Lets others have their turn. */
  pause: () => Promise<void>;
  attempt: Attempt;
  onDamaged(): void;
}

/** The cursor outlives a power cut after so long at most. */
const SAVE_MS = 5_000;

export function createReading({ follower, clock, pause, attempt, onDamaged }: ReadingDependencies): Reading {
  let { done, until } = follower.cursor;
  let frame: FollowedFrame | null = null;
  /** The first of the frame that is not taken as yet. */
  let item = 0;
  let savedAtMs = -Infinity;
  let saved: ReadingPlace | null = null;
  let isWritten = false;

  const isDue = () => clock.monotonicMs() - savedAtMs >= SAVE_MS;

  /** Written at once, so that a killed process goes on here; made durable now and then. */
  async function save(under: ReadingPlace | null, isDurable = isDue()): Promise<void> {
    const cursor = { done, until: under };
    await attempt(`the cursor of ${follower.name}`, () => follower.save(cursor, { isDurable }));
    isWritten = true;
    if (!isDurable) return;
    savedAtMs = clock.monotonicMs();
    saved = done;
  }

  function next(): FollowedFrame | null {
    if (frame !== null) return frame;
    frame = follower.next();
    if (frame === null) return null;
    if (frame.isDamaged) onDamaged();
    item = isSame(frame.start, done) ? done.items : 0;
    return frame;
  }

  return {
    done: () => done,
    isRepeating: () => until !== null,
    async fill(batch) {
      while (!batch.isFull()) {
        const found = next();
        if (found === null) return false;
        await follower.nameSeries(found);
        if (batch.end === null) done = { ...found.start, items: item };
        item = batch.take(found, item);
        const isWhole = item >= itemsOf(found);
        batch.end = isWhole ? { ...found.end, items: 0 } : { ...found.start, items: item };
        if (isWhole) frame = null;
        if (until !== null && isSame(batch.end, until) && batch.end.items === until.items) break;
        await pause();
      }
      until = null;
      return true;
    },
    begin: (batch) => save(batch.end),
    async finish(batch) {
      done = batch.end ?? done;
      // What follows at once writes it down with its own end.
      isWritten = false;
      if (isDue()) await save(null);
    },
    async rest() {
      done = { ...follower.position(), items: 0 };
      const isMoved = saved === null || !isSame(saved, done);
      if (!isWritten || (isMoved && isDue())) await save(null);
    },
    async skipWhile(isWanted, onSkipped) {
      for (let skippedBytes = 0; ;) {
        const found = next();
        if (found === null) break;
        done = { ...found.start, items: item };
        if (!isWanted(found, skippedBytes)) break;
        onSkipped(Math.max(0, samplesOf(found) - item));
        if (found.start.segment === found.end.segment) skippedBytes += found.end.offset - found.start.offset;
        frame = null;
        until = null;
        done = { ...found.end, items: 0 };
        await pause();
      }
      await save(null, true);
    },
    rewind() {
      follower.rewind(done);
      frame = null;
    },
    end: () => save(null, true),
  };
}

function isSame(a: Place, b: Place): boolean {
  return a.segment === b.segment && a.offset === b.offset;
}

type Place = Pick<ReadingPlace, "segment" | "offset">;

function samplesOf({ samples, histograms }: FollowedFrame): number {
  return samples.reduce((sum, { count }) => sum + count, histograms.length);
}
