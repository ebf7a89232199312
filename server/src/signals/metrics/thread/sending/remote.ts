import type { RemoteWriteResource } from "@mainstay/api";
import { reasonOf } from "../../../../kernel/reason-of.ts";
import { createDelivery, type DeliveryDependencies } from "./delivery.ts";
import { createOutgoingBatch, type NameOf, type OutgoingBatch } from "./outgoing-batch.ts";
import { createReading, type ReadingDependencies } from "./reading.ts";
import { countDropped, createRemoteState, noteFailure, troubleOf, viewOf } from "./remote-state.ts";

export interface RemoteDependencies
  extends
    Pick<DeliveryDependencies, "settings" | "requests" | "clock" | "random">,
    Pick<ReadingDependencies, "follower" | "pause" | "attempt"> {
  nameOf: NameOf;
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
/** A request that is under way may end by itself for so long when the thread ends. */
const GRACE_MS = 2_000;

/** Sends what comes, one request after the other, so that the samples of a series arrive in their order. */
export function startRemote(dependencies: RemoteDependencies): Remote {
  const { settings, follower, nameOf, requests, clock } = dependencies;
  const { name, samplesPerSend, deadlineMs, backlogBytes } = settings;
  const state = createRemoteState();
  const stopping = new AbortController();
  const cutOff = new AbortController();
  const nowMs = () => clock.now().getTime();
  const lose = (summary: string) => void (state.lost = { atMs: nowMs(), summary });
  const drop = (reason: string, samples: number) => countDropped(state, { reason, samples, atMs: nowMs() });
  const sleep = (ms: number) => clock.sleep(ms, stopping.signal).catch(() => {});
  const reading = createReading({
    ...dependencies,
    onDamaged: () => lose("a part of the log cannot be read"),
  });
  const deliver = createDelivery({
    ...dependencies,
    ...{ state, stopping: stopping.signal, cutOff: cutOff.signal, excess, onAnswer: tellTrouble },
  });
  const backlog = () => follower.bytesFrom(reading.done());
  let trouble: string | null = null;
  if (follower.hasGap) lose("a part of the log was gone before it could be sent");

  function tellTrouble(): void {
    const now = troubleOf(state, nowMs());
    if (now !== trouble) dependencies.onTrouble((trouble = now));
  }

  /** A batch of what is there; of fewer samples than it could have only after they waited for others. */
  async function gather(): Promise<OutgoingBatch> {
    const batch = createOutgoingBatch(samplesPerSend, { ...settings, nameOf, drop });
    const lookMs = Math.min(LOOK_MS, deadlineMs);
    for (let waitedMs = 0; !(await reading.fill(batch));) {
      if (stopping.signal.aborted) break;
      if (batch.end === null) await reading.rest();
      else if (batch.isEmpty() || waitedMs >= deadlineMs) break;
      else waitedMs += lookMs;
      tellTrouble();
      await sleep(lookMs);
    }
    return batch;
  }

  /** Why what has not been sent is given up; null: it is not. */
  function excess(): "backlog" | "disk-full" | null {
    if (backlog() > backlogBytes) return "backlog";
    const isHeld = reading.done().segment < follower.storeNeeds().segment;
    return isHeld && !follower.hasEnoughSpace() ? "disk-full" : null;
  }

  /** Gives up the oldest of what is kept, until little enough is left. */
  async function dropExcess(): Promise<void> {
    const isGoingOn = () => !stopping.signal.aborted;
    const surplusBytes = backlog() - backlogBytes;
    if (surplusBytes > 0)
      await reading.skipWhile(
        (_, skippedBytes) => isGoingOn() && skippedBytes < surplusBytes,
        (samples) => drop("backlog", samples),
      );
    if (excess() !== "disk-full") return;
    const needed = follower.storeNeeds().segment;
    await reading.skipWhile(
      ({ start }) => isGoingOn() && start.segment < needed,
      (samples) => drop("disk-full", samples),
    );
    // Also where the disk does not take the cursor: room is what is needed.
    follower.letGo(reading.done());
  }

  async function round(): Promise<void> {
    await dropExcess();
    const isRepeated = reading.isRepeating();
    const batch = await gather();
    if (batch.end === null) return;
    if (!batch.isEmpty()) await reading.begin(batch);
    await dependencies.pause();
    if (await deliver(batch, { isRepeated })) await reading.finish(batch);
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await round();
      } catch (error) {
        noteFailure(state, reasonOf(error), nowMs());
        tellTrouble();
        reading.rewind();
        await sleep(settings.backoffMs.max);
      }
    }
  }

  const running = run();
  return {
    view: () =>
      viewOf(state, {
        ...{ name, url: new URL(settings.url), backlogBytes: backlog() },
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
      graceOver.abort();
      await grace;
      await reading.end();
      requests.close();
    },
  };
}
