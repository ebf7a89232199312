import type { RemoteWriteResource } from "@mainstay/api";
import type { FollowedFrame, LogFollower, ReadingPlace } from "@mainstay/metrics/tsdb";
import type { Clock } from "../../../../kernel/clock.ts";
import { reasonOf } from "../../../../kernel/reason-of.ts";
import type { Attempt } from "../upkeep.ts";
import { judgeAnswer, type Judgement } from "./judge-answer.ts";
import { createOutgoingBatch, itemsOf, type NameOf, type OutgoingBatch } from "./outgoing-batch.ts";
import { countDropped, createRemoteState, troubleOf, viewOf } from "./remote-state.ts";
import type { RemoteSettings } from "./remote-settings.ts";
import type { Requests } from "./requests.ts";

export interface RemoteDependencies {
  settings: RemoteSettings;
  /** Why the settings cannot be followed; null: they can. */
  fault: string | null;
  follower: LogFollower;
  nameOf: NameOf;
  requests: Requests;
  clock: Clock;
  /** From 0 to 1. */
  random: () => number;
  /** Lets others have their turn. */
  pause: () => Promise<void>;
  attempt: Attempt;
  /** What is wrong now; null: nothing. */
  onTrouble(trouble: string | null): void;
}

/** A receiver to which everything is sent that the store takes in. */
export interface Remote {
  view(): RemoteWriteResource;
  stop(): Promise<void>;
}

/** How often it is looked whether there is more. */
const LOOK_MS = 1_000;
/** The cursor outlives a power cut after so long at most. */
const SAVE_MS = 5_000;
/** A request that is under way may end by itself for so long when the thread ends. */
const GRACE_MS = 2_000;
/** Receivers forget what they were told of families. */
const TELL_AGAIN_MS = 3_600_000;

/** Sends what comes, one request after the other, so that the samples of a series arrive in their order. */
export function startRemote(dependencies: RemoteDependencies): Remote {
  const { settings, fault, follower, nameOf, requests, clock, random, pause, attempt } = dependencies;
  const { name, samplesPerSend, deadlineMs, sampleAgeMs, backlogBytes, protocol } = settings;
  const state = createRemoteState();
  const stopping = new AbortController();
  const cutOff = new AbortController();
  const nowMs = () => clock.now().getTime();
  const { cursor } = follower;
  const taking = { ...settings, nameOf, drop };
  let done: ReadingPlace = cursor.done;
  /** What was under way before a crash is sent once more as it was then. */
  let until = cursor.until;
  let frame: FollowedFrame | null = null;
  let item = 0;
  let savedAtMs = -Infinity;
  let saved: ReadingPlace | null = null;
  let toldAtMs = clock.monotonicMs();
  let trouble: string | null = null;
  if (follower.hasGap) {
    state.lost = { atMs: nowMs(), summary: "a part of the log was gone before it could be sent" };
  }

  function drop(reason: string, samples: number): void {
    countDropped(state, reason, samples, nowMs());
  }

  function tellTrouble(): void {
    const now = troubleOf(state, nowMs());
    if (now !== trouble) dependencies.onTrouble((trouble = now));
  }

  const sleep = (ms: number) => clock.sleep(ms, stopping.signal).catch(() => {});

  /** Written at once, so that a killed process goes on here; made durable now and then. */
  async function save(under: ReadingPlace | null, isLast = false): Promise<void> {
    const isDurable = isLast || clock.monotonicMs() - savedAtMs >= SAVE_MS;
    await attempt(`the cursor of ${name}`, () => follower.save({ done, until: under }, { isDurable }));
    if (!isDurable) return;
    savedAtMs = clock.monotonicMs();
    saved = done;
  }

  /** The next frame, from the item on where it was left. */
  async function nextFrame(): Promise<FollowedFrame | null> {
    if (frame !== null) return frame;
    frame = follower.next();
    if (frame === null) return null;
    if (frame.isDamaged) state.lost = { atMs: nowMs(), summary: "a part of the log cannot be read" };
    const isLeft = frame.start.segment === done.segment && frame.start.offset === done.offset;
    item = isLeft ? done.items : 0;
    return frame;
  }

  /** Takes what is there into the batch; true once it is to be sent. */
  async function fill(batch: OutgoingBatch): Promise<boolean> {
    while (!batch.isFull()) {
      const next = await nextFrame();
      if (next === null) return false;
      await follower.nameSeries(next);
      if (batch.end === null) done = { ...next.start, items: item };
      item = batch.take(next, item);
      const isWhole = item >= itemsOf(next);
      batch.end = isWhole ? { ...next.end, items: 0 } : { ...next.start, items: item };
      if (isWhole) frame = null;
      if (until !== null && isAt(batch.end, until)) break;
      await pause();
    }
    until = null;
    return true;
  }

  /** A batch of what is there; of fewer samples than it could have only after they waited for others. */
  async function gather(): Promise<OutgoingBatch> {
    const batch = createOutgoingBatch(samplesPerSend, taking);
    const lookMs = Math.min(LOOK_MS, deadlineMs);
    for (let waitedMs = 0; !(await fill(batch)); waitedMs += lookMs) {
      if (stopping.signal.aborted || (!batch.isEmpty() && waitedMs >= deadlineMs)) break;
      if (batch.isEmpty()) {
        waitedMs = 0;
        if (batch.end !== null) break;
        done = { ...follower.position(), items: 0 };
        const isNew = saved === null || !isAt(saved, done);
        if (isNew && clock.monotonicMs() - savedAtMs >= SAVE_MS) await save(null);
      }
      tellTrouble();
      await sleep(lookMs);
    }
    return batch;
  }

  /** Why what has not been sent is given up; null: it is not. */
  function excess(): "backlog" | "disk-full" | null {
    if (follower.backlogBytes() > backlogBytes) return "backlog";
    const isHeld = done.segment < follower.storeNeeds().segment;
    return isHeld && !follower.hasEnoughSpace() ? "disk-full" : null;
  }

  /** Gives up the oldest of what is kept, until little enough is left. */
  async function dropExcess(): Promise<void> {
    const surplusBytes = follower.backlogBytes() - backlogBytes;
    if (surplusBytes > 0) await dropWhile("backlog", (_, droppedBytes) => droppedBytes < surplusBytes);
    if (excess() !== "disk-full") return;
    const needed = follower.storeNeeds().segment;
    await dropWhile("disk-full", ({ start }) => start.segment < needed);
    follower.letGo(done);
  }

  async function dropWhile(
    reason: string,
    isWanted: (next: FollowedFrame, droppedBytes: number) => boolean,
  ): Promise<void> {
    for (let droppedBytes = 0; !stopping.signal.aborted;) {
      const next = await nextFrame();
      if (next === null) break;
      const { samples, histograms, start, end } = next;
      done = { ...start, items: item };
      if (!isWanted(next, droppedBytes)) break;
      drop(reason, Math.max(0, samples.reduce((sum, { count }) => sum + count, histograms.length) - item));
      if (start.segment === end.segment) droppedBytes += end.offset - start.offset;
      frame = null;
      done = { ...end, items: 0 };
      until = null;
      await pause();
    }
    await save(null, true);
  }

  async function ask(batch: OutgoingBatch, version: 1 | 2): Promise<Judgement> {
    if (fault !== null) return { act: "again", message: fault, afterMs: null };
    if (clock.monotonicMs() - toldAtMs >= TELL_AGAIN_MS) {
      toldAtMs = clock.monotonicMs();
      requests.forgetTold();
    }
    try {
      const answer = await requests.send(batch.series(), version, cutOff.signal);
      const mayFallBack = protocol === "auto" && (state.agreed !== 2 || answer.status === 415);
      return judgeAnswer(answer, { version, mayFallBack, nowMs: nowMs() });
    } catch (error) {
      return { act: "again", message: reasonOf(error), afterMs: null };
    }
  }

  /** Sends a batch until it is taken, refused or too old; false when the thread ends before. */
  async function deliver(batch: OutgoingBatch, isRepeated: boolean): Promise<boolean> {
    let version = state.agreed ?? (protocol === "auto" ? 2 : protocol);
    let backoffMs = settings.backoffMs.min;
    for (;;) {
      if (sampleAgeMs > 0) drop("too-old", batch.dropBefore(nowMs() - sampleAgeMs));
      if (batch.isEmpty()) return true;
      const judged = await ask(batch, version);
      if (judged.act === "fall-back") {
        version = 1;
        continue;
      }
      settle(batch, judged, { version, isRepeated });
      tellTrouble();
      if (judged.act !== "again") return true;
      if (stopping.signal.aborted) return false;
      const reason = excess();
      if (reason !== null) {
        drop(reason, batch.samples());
        return true;
      }
      state.retried += batch.samples();
      await sleep(Math.max(judged.afterMs ?? 0, backoffMs * (0.5 + random() / 2)));
      if (stopping.signal.aborted) return false;
      backoffMs = Math.min(backoffMs * 2, settings.backoffMs.max);
    }
  }

  interface Attempted {
    version: 1 | 2;
    isRepeated: boolean;
  }

  /** Counts what came of one request. */
  function settle(batch: OutgoingBatch, judged: Judgement, { version, isRepeated }: Attempted): void {
    const atMs = nowMs();
    if (judged.act === "again") {
      state.failing = { sinceMs: state.failing?.sinceMs ?? atMs, message: judged.message };
    } else if (judged.act === "go-on") {
      state.agreed = version;
      state.failing = null;
      arrived(batch, batch.samples(), atMs);
    } else if (judged.act === "give-up") {
      const { status, message, written } = judged;
      if (written !== null) state.agreed = version;
      const taken = written === null ? 0 : Math.min(batch.samples(), written.samples + written.histograms);
      if (taken > 0) arrived(batch, taken, atMs);
      const lost = batch.samples() - taken;
      state.failing = null;
      state.failed[status] = (state.failed[status] ?? 0) + lost;
      // Who had all of it before the crash may refuse it now.
      if (isRepeated || lost === 0) return;
      state.firstRefusal ??= { atMs, status, message };
      state.lost = { atMs, summary: `${lost} samples were refused for good, ${message}` };
    }
  }

  function arrived(batch: OutgoingBatch, samples: number, atMs: number): void {
    state.sent += samples;
    state.lastSentMs = atMs;
    state.newestSentMs = Math.max(state.newestSentMs, batch.newestMs());
  }

  async function round(): Promise<void> {
    await dropExcess();
    const isRepeated = until !== null;
    const batch = await gather();
    if (batch.end === null) return;
    if (!batch.isEmpty()) await save(batch.end);
    if (!(await deliver(batch, isRepeated))) return;
    done = batch.end;
    await save(null);
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await round();
      } catch (error) {
        state.failing = { sinceMs: state.failing?.sinceMs ?? nowMs(), message: reasonOf(error) };
        tellTrouble();
        follower.rewind(done);
        frame = null;
        await sleep(settings.backoffMs.max);
      }
    }
  }

  const running = run();
  return {
    view: () =>
      viewOf(state, {
        ...{ name, url: new URL(settings.url), backlogBytes: follower.backlogBytes() },
        newestMs: follower.newestMs(),
      }),
    async stop() {
      stopping.abort();
      const graceOver = new AbortController();
      const grace = clock.sleep(GRACE_MS, graceOver.signal).then(
        () => cutOff.abort(),
        () => {},
      );
      await running;
      await save(null, true);
      graceOver.abort();
      await grace;
      requests.close();
    },
  };
}

function isAt(place: ReadingPlace, other: ReadingPlace): boolean {
  return place.segment === other.segment && place.offset === other.offset && place.items === other.items;
}
