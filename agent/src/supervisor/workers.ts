import type { ObservedState } from "@mainstay/api";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { WorkerCounters, WorkerHttps, WorkerRouting, WorkerStatus } from "../proxy/worker-protocol.ts";
import { listLeaving } from "../proxy/successor.ts";
import { createUnixClient } from "../system/unix-client.ts";

const CALL_TIMEOUT_MS = 2000;
/**
 * A worker that answers nothing for this long cannot be waited for: it takes the newest table when it does.
 */
const ACKNOWLEDGE_TIMEOUT_MS = 5000;
const ACKNOWLEDGE_RETRY_MS = 20;
const DRAIN_POLL_MS = 25;
const STREAM_POLL_MS = 250;
/** What a worker needs to say goodbye to its streams once their time is over. */
const GOODBYE_MS = 5000;

export interface Workers {
  /** Pushes a table to every worker; resolves when each has it in force, or will load it when it starts. */
  push(routing: WorkerRouting): Promise<void>;
  /** As push, for certificates and challenges. */
  pushHttps(https: WorkerHttps): Promise<void>;
  /**
   * Resolves when no worker has a request of the instance in flight, or after the time: one for requests
   * without an answer yet, one for answers under way. True when it is drained.
   */
  drain(instance: string, timeouts: DrainTimeouts): Promise<boolean>;
  /** Fresh counters of every worker that answers; one that has not the newest table is given it. */
  counters(): Promise<WorkersCounters>;
  areUp(): boolean;
  inflight(instance: string): number;
  streams(instance: string): number;
  observe(): ObservedState["proxies"];
  stop(): void;
}

export interface WorkersCounters {
  counters: WorkerCounters[];
  /** Every worker that lives is among them. */
  isComplete: boolean;
}

export interface DrainTimeouts {
  requestsMs: number;
  streamsMs: number;
}

interface WorkersOptions {
  runtimeDirectory: string;
  count: number;
  onRestart: (slot: number, status: WorkerStatus) => void;
}

/** A document that every worker has in its newest revision. */
interface Document<Content extends { revision: number }> {
  request: string;
  current: Content | null;
  newestPush: Promise<void>;
  /** The one a worker has in force. */
  revisionOf(status: WorkerStatus): number | null;
}

interface Slot {
  slot: number;
  client: ReturnType<typeof createUnixClient>;
  status: WorkerStatus | null;
  isUp: boolean;
}

/**
 * The proxy workers as the agent sees them: it tells them where to send traffic and asks what they did. Those
 * that leave their slot to another are told and asked to
 * their end; for a moment one may answer in both places.
 */
export function createWorkers({ runtimeDirectory, count, onRestart }: WorkersOptions): Workers {
  const slots = Array.from({ length: count }, (_, slot) => createSlot(slot, `proxy-${slot}.sock`));
  const leaving = new Map<string, Slot>();
  const routing: Document<WorkerRouting> = {
    request: "PUT /v1/routing",
    current: null,
    newestPush: Promise.resolve(),
    revisionOf: (status) => status.revision,
  };
  const https: Document<WorkerHttps> = {
    request: "PUT /v1/https",
    current: null,
    newestPush: Promise.resolve(),
    revisionOf: (status) => status.httpsRevision,
  };

  function createSlot(slot: number, name: string): Slot {
    return { slot, client: createUnixClient(join(runtimeDirectory, name)), status: null, isUp: false };
  }

  function everybody(): Slot[] {
    for (const { name, slot } of listLeaving(runtimeDirectory))
      if (!leaving.has(name)) leaving.set(name, createSlot(slot, name));
    return [...slots, ...leaving.values()];
  }

  /** Nobody is behind the socket of one that left. */
  function forget(slot: Slot): void {
    for (const [name, each] of leaving) {
      if (each !== slot) continue;
      leaving.delete(name);
      slot.client.close();
      rmSync(join(runtimeDirectory, name), { force: true });
    }
  }

  /** What is known of every worker, each once. */
  function statuses(): WorkerStatus[] {
    const known = [...slots, ...leaving.values()].flatMap(({ status }) => status ?? []);
    return [...new Map(known.map((each) => [each.bootId, each])).values()];
  }

  function learn(slot: Slot, status: WorkerStatus): void {
    const before = slot.status;
    slot.status = status;
    slot.isUp = true;
    if (before && before.bootId !== status.bootId) onRestart(slot.slot, status);
  }

  /** null: nobody listens on the worker's socket. Throws when it listens but does not answer. */
  async function call(slot: Slot, request: string, body?: unknown): Promise<unknown> {
    try {
      const [method = "GET", path = "/"] = request.split(" ");
      const options = { timeoutMs: CALL_TIMEOUT_MS, ...(body === undefined ? {} : { body }) };
      const answer = await slot.client.call(method, path, options);
      if (answer.status !== 200) throw new Error(`proxy worker ${slot.slot} answered ${answer.status}`);
      return answer.body;
    } catch (error) {
      if (!isNobodyThere(error)) throw error;
      forget(slot);
      return null;
    }
  }

  async function send<Content extends { revision: number }>(
    slot: Slot,
    document: Document<Content>,
    content: Content,
  ): Promise<void> {
    const status = (await call(slot, document.request, content)) as WorkerStatus | null;
    if (status) learn(slot, status);
  }

  async function sendUntilAcknowledged<Content extends { revision: number }>(
    slot: Slot,
    document: Document<Content>,
    content: Content,
  ): Promise<void> {
    const deadlineMs = performance.now() + ACKNOWLEDGE_TIMEOUT_MS;
    while (content === document.current && performance.now() < deadlineMs) {
      const isSent = await send(slot, document, content).then(
        () => true,
        () => false,
      );
      if (isSent) return;
      await sleep(ACKNOWLEDGE_RETRY_MS);
    }
  }

  function push<Content extends { revision: number }>(
    document: Document<Content>,
    content: Content,
  ): Promise<void> {
    document.current = content;
    document.newestPush = Promise.all(
      everybody().map((slot) => sendUntilAcknowledged(slot, document, content)),
    ).then(() =>
      // A newer one took this one's place: it is in force when the newer one is.
      content === document.current ? undefined : document.newestPush,
    );
    return document.newestPush;
  }

  /** Gives a worker what it missed. */
  async function catchUp<Content extends { revision: number }>(
    slot: Slot,
    document: Document<Content>,
    status: WorkerStatus,
  ): Promise<void> {
    const { current } = document;
    if (!current || document.revisionOf(status) === current.revision) return;
    await send(slot, document, current).catch(() => undefined);
  }

  /** null: there is no worker; undefined: it does not answer. */
  async function refresh(slot: Slot): Promise<WorkerCounters | null | undefined> {
    const answer = await call(slot, "GET /v1/counters").catch(() => undefined);
    const counters = answer as WorkerCounters | null | undefined;
    slot.isUp = Boolean(counters);
    if (!counters) return counters;
    learn(slot, counters);
    await catchUp(slot, routing, counters);
    await catchUp(slot, https, counters);
    return counters;
  }

  /** Over all workers. */
  async function busyness(instance: string): Promise<{ inflight: number; streams: number }> {
    const asked = everybody().map((slot) => call(slot, "GET /v1/status").catch(() => slot.status));
    const answers = (await Promise.all(asked)) as (WorkerStatus | null)[];
    const fresh = new Map(answers.flatMap((each) => (each ? [[each.bootId, each] as const] : [])));
    return sumUp([...fresh.values()], instance);
  }

  return {
    push: (content) => push(routing, content),
    pushHttps: (content) => push(https, content),
    async drain(instance, { requestsMs, streamsMs }) {
      const startedAtMs = performance.now();
      for (;;) {
        const { inflight, streams } = await busyness(instance);
        if (inflight === 0) return true;
        const isWaiting = inflight > streams;
        const limitMs = isWaiting ? requestsMs : Math.max(requestsMs, streamsMs + GOODBYE_MS);
        if (performance.now() - startedAtMs >= limitMs) return false;
        await sleep(isWaiting ? DRAIN_POLL_MS : STREAM_POLL_MS);
      }
    },
    async counters() {
      const answers = await Promise.all(everybody().map(refresh));
      const byBoot = new Map(answers.flatMap((each) => (each ? [[each.bootId, each] as const] : [])));
      return { counters: [...byBoot.values()], isComplete: !answers.includes(undefined) };
    },
    areUp: () => slots.every((slot) => slot.isUp),
    inflight: (instance) => sumUp(statuses(), instance).inflight,
    streams: (instance) => sumUp(statuses(), instance).streams,
    observe: () =>
      slots.map(({ slot, status, isUp }) => ({
        worker: slot,
        pid: isUp ? (status?.pid ?? null) : null,
        generation: status?.generation ?? null,
        restarts: status?.restarts ?? 0,
      })),
    stop() {
      for (const { client } of [...slots, ...leaving.values()]) client.close();
    },
  };
}

/** What the workers have under way with an instance. */
function sumUp(statuses: WorkerStatus[], instance: string): { inflight: number; streams: number } {
  const sum = (read: (status: WorkerStatus) => Record<string, number>) =>
    statuses.reduce((total, each) => total + (read(each)[instance] ?? 0), 0);
  return { inflight: sum((each) => each.instances), streams: sum((each) => each.streams) };
}

function isNobodyThere(error: unknown): boolean {
  return (
    error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ECONNREFUSED")
  );
}
