import { Worker } from "node:worker_threads";
import type { Clock } from "../../../kernel/clock.ts";
import { withDeadline } from "../../../kernel/deadline.ts";
import type { Log } from "../../../kernel/log.ts";
import { MetricsError, type AppendBatch, type MetricsStore } from "../metrics-store.ts";
import type { FromThread, Input, Method, Output, ToThread } from "./messages.ts";
import type { ThreadSettings } from "./settings.ts";

const ENTRY = new URL("./main.ts", import.meta.url);
/** Of the memory that an idle thread holds, the part that is easiest to save. */
const YOUNG_GENERATION_MB = 4;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** A thread that lived for so long is started again at once when it dies. */
const WELL_MS = 60_000;
const CALLS_MAX = 1_000;
const BYTES_MAX = 64 * 2 ** 20;
const END_MS = 5_000;

export type ThreadState =
  | { state: "starting" | "ready" | "stopped" }
  /** Why it is not there; it is tried again and again. */
  | { state: "failed"; message: string };

export interface ThreadKeeper {
  store: MetricsStore;
  state(): ThreadState;
  /** Why it does not run, or what its upkeep fails at; null: nothing. */
  problem(): string | null;
  /** Whose new series a budget refuses, and what to do; null: nobody's of late. */
  budgetTrouble(): string | null;
  /** What keeps samples from reaching receivers of remote-write, by their names. */
  sendingTroubles(): ReadonlyMap<string, string>;
  /** How often the thread had to be started again. */
  restarts(): number;
  /** Calls that have no answer as yet. */
  pending(): number;
  start(): void;
  stop(): Promise<void>;
}

export interface ThreadKeeperDependencies {
  settings: ThreadSettings;
  heapBytes: number;
  clock: Clock;
  log: Log;
}

interface Call {
  resolve(value: unknown): void;
  reject(error: Error): void;
  bytes: number;
}

/** Keeps the thread of the store running. Whoever calls while it is down is told so at once. */
export function createThreadKeeper({
  settings,
  heapBytes,
  clock,
  log,
}: ThreadKeeperDependencies): ThreadKeeper {
  const calls = new Map<number, Call>();
  const stopped = new AbortController();
  let worker: Worker | null = null;
  let running: Promise<void> = Promise.resolve();
  let state: ThreadState = { state: "stopped" };
  let trouble: string | null = null;
  let budgetTrouble: string | null = null;
  const sendingTroubles = new Map<string, string>();
  let restarts = 0;
  let lastId = 0;
  let bytesUnderWay = 0;

  function call<Name extends Method>(method: Name, input: Input<Name>, buffers: ArrayBuffer[] = []) {
    return new Promise<Output<Name>>((resolve, reject) => {
      const bytes = buffers.reduce((sum, each) => sum + each.byteLength, 0);
      if (worker === null) return reject(notThere());
      if (calls.size >= CALLS_MAX || (bytesUnderWay > 0 && bytesUnderWay + bytes > BYTES_MAX))
        return reject(new MetricsError("unavailable", "the metrics store has more to do than it can take"));
      const id = ++lastId;
      bytesUnderWay += bytes;
      calls.set(id, { resolve: (value) => resolve(value as Output<Name>), reject, bytes });
      const message: ToThread = { id, method, input };
      worker.postMessage(message, buffers);
    });
  }

  function notThere(): MetricsError {
    const why = state.state === "failed" ? `: ${state.message}` : "";
    return new MetricsError("unavailable", `the metrics store is not running${why}`);
  }

  function settle(id: number, act: (found: Call) => void): void {
    const found = calls.get(id);
    if (!found) return;
    calls.delete(id);
    bytesUnderWay -= found.bytes;
    act(found);
  }

  function hear(message: FromThread): void {
    if (message.kind === "opened") {
      const { series, tookMs } = message;
      state = { state: "ready" };
      log.info({ series, tookMs: Math.round(tookMs) }, "metrics store opened");
    } else if (message.kind === "failed") fail(message.message);
    else if (message.kind === "upkeep") {
      ({ trouble } = message);
      if (trouble === null) log.info({}, "the upkeep of the metrics store works again");
      else log.warn({ trouble }, "the upkeep of the metrics store fails");
    } else if (message.kind === "budget") {
      budgetTrouble = message.trouble;
      if (budgetTrouble === null) log.info({}, "no series is refused any more");
      else log.warn({ trouble: budgetTrouble }, "a budget refuses new series");
    } else if (message.kind === "sending") hearOfSending(message);
    else if (message.kind === "answer") settle(message.id, ({ resolve }) => resolve(message.value));
    else settle(message.id, ({ reject }) => reject(toError(message)));
  }

  function hearOfSending({ name, trouble: told }: Extract<FromThread, { kind: "sending" }>): void {
    const isNew = sendingTroubles.has(name) === (told === null);
    if (told === null) sendingTroubles.delete(name);
    else sendingTroubles.set(name, told);
    if (!isNew) return;
    if (told === null) log.info({ name }, "samples reach the receiver again");
    else log.warn({ name, trouble: told }, "samples do not reach the receiver");
  }

  function fail(message: string): void {
    state = { state: "failed", message };
  }

  /** One life of the thread, from its start to its end. */
  function live(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const young = new Worker(ENTRY, {
      name: "metrics",
      workerData: settings,
      resourceLimits: {
        maxYoungGenerationSizeMb: YOUNG_GENERATION_MB,
        maxOldGenerationSizeMb: Math.ceil(heapBytes / 2 ** 20),
      },
    });
    worker = young;
    if (state.state !== "failed") state = { state: "starting" };
    young.on("message", hear);
    young.on("error", (error) => fail(error.message));
    young.on("exit", () => {
      worker = null;
      trouble = null;
      budgetTrouble = null;
      sendingTroubles.clear();
      if (state.state !== "failed") fail("its thread ended");
      for (const id of [...calls.keys()]) settle(id, ({ reject }) => reject(notThere()));
      resolve();
    });
    return promise;
  }

  async function keepAlive(): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    while (!stopped.signal.aborted) {
      const startedAtMs = clock.monotonicMs();
      await live();
      if (stopped.signal.aborted) return;
      if (clock.monotonicMs() - startedAtMs >= WELL_MS) pauseMs = FIRST_PAUSE_MS;
      const message = state.state === "failed" ? state.message : "";
      log.error({ message, pauseMs }, "metrics store ended; starting it again");
      await clock.sleep(pauseMs, stopped.signal).catch(() => {});
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      restarts += 1;
    }
  }

  return {
    store: storeOver(call),
    state: () => state,
    problem: () => (state.state === "failed" ? state.message : trouble),
    budgetTrouble: () => budgetTrouble,
    sendingTroubles: () => sendingTroubles,
    restarts: () => restarts,
    pending: () => calls.size,
    start() {
      running = keepAlive();
    },
    async stop() {
      stopped.abort();
      const message: ToThread = { end: true };
      worker?.postMessage(message);
      await withDeadline({ clock, ms: END_MS }, running).catch(() => worker?.terminate());
      state = { state: "stopped" };
    },
  };
}

type CallThread = <Name extends Method>(
  method: Name,
  input: Input<Name>,
  buffers?: ArrayBuffer[],
) => Promise<Output<Name>>;

function storeOver(call: CallThread): MetricsStore {
  return {
    append: (batch) => call("append", batch, buffersOf(batch)),
    backfill: (batch) => call("backfill", batch, buffersOf(batch)),
    takeScrape: (request) => call("takeScrape", request),
    endTarget: (request) => call("endTarget", request),
    ingest: (delivery) => call("ingest", delivery, wholeBuffer(delivery.bytes)),
    query: (request) => call("query", request),
    queryRange: (request) => call("queryRange", request),
    series: (request) => call("series", request),
    labelNames: (request) => call("labelNames", request),
    labelValues: (request) => call("labelValues", request),
    exemplars: (request) => call("exemplars", request),
    metadata: () => call("metadata", undefined),
    deleteSeries: (request) => call("deleteSeries", request),
    cleanTombstones: () => call("cleanTombstones", undefined),
    snapshot: () => call("snapshot", undefined),
    beginRead: (request) => call("beginRead", request, wholeBuffer(request)),
    nextOfRead: (cursor) => call("nextOfRead", cursor),
    endRead: (cursor) => call("endRead", cursor),
    answer: (request) => call("answer", request),
    remoteWrites: () => call("remoteWrites", undefined),
    stats: () => call("stats", undefined),
  };
}

/** A buffer is handed over if nothing else lies in it. */
function wholeBuffer(bytes: Uint8Array<ArrayBuffer>): ArrayBuffer[] {
  return bytes.byteLength === bytes.buffer.byteLength ? [bytes.buffer] : [];
}

function buffersOf({ positions, timestampsMs, values }: AppendBatch): ArrayBuffer[] {
  return [positions.buffer, timestampsMs.buffer, values.buffer];
}

function toError({ fault, message }: Extract<FromThread, { kind: "refusal" }>): Error {
  return fault === null
    ? new Error(`the metrics store failed: ${message}`)
    : new MetricsError(fault, message);
}
