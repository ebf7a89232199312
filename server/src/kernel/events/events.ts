import type pg from "pg";
import type { Clock } from "../clock.ts";
import type { DatabaseHandle, Tx } from "../database/index.ts";
import type { Ids } from "../ids.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { createWake } from "../wake.ts";
import { createConsumer, type Consumer, type Subscription } from "./consumer.ts";
import { checkEvent, type Event, type NewEvent } from "./event.ts";
import { leadInTurn } from "./leader.ts";
import { numberStream, prepareNumbering, sweepInbox, type Stream } from "./sequencer.ts";
import { createEventsStore, NUMBERED_CHANNEL, OUTBOX, UNNUMBERED_CHANNEL } from "./store.ts";
import { watchEvents, type Watch } from "./watch.ts";

export interface EventsDependencies {
  database: DatabaseHandle;
  clock: Clock;
  ids: Ids;
  log: Log;
  metrics: Metrics;
  /** CloudEvents `source` of everything emitted here. */
  source: string;
  /** More tables that want numbers in the order of commitment, such as the audit's. */
  streams?: readonly Stream[];
}

/** An event that a consumer could not handle. */
export interface ParkedEvent {
  consumer: string;
  event: Event;
  attempts: number;
  error: string;
  /** RFC 3339. */
  parkedAt: string;
}

export interface Events {
  name: "events";
  /**
   * Tells of a change of state, in the transaction that makes it; nobody hears of it if that is rolled back.
   */
  emit(tx: Tx, event: NewEvent): Promise<void>;
  /** Adds a durable consumer, before `start`. It begins with what happens after it was first seen. */
  subscribe(subscription: Subscription): void;
  /** Events as they happen, for readers that are there now. */
  watch(watch: Watch): AsyncIterable<Event>;
  /** The newest events that were set aside. */
  parked(limit?: number): Promise<ParkedEvent[]>;
  /** Lets a consumer try once more what it set aside; answers how many events that are. */
  retryParked(consumer: string): Promise<number>;
  /** Deletes events older than `keepMs` that every consumer has passed; answers how many. */
  prune(keepMs: number): Promise<number>;
  start(): Promise<void>;
  /** Resolves when every handler has returned. */
  stop(): Promise<void>;
}

const OUTBOX_STREAM: Stream = {
  table: OUTBOX,
  number: "position",
  within: { partition: "channel", number: "seq" },
};
/** "events" in ASCII. */
const LEADER_LOCK = "111559182283891";
/** Notifications wake the sequencer; a look finds what was inserted without one, as many at a time are. */
const LOOK_MS = 1_000;
/** While rows keep coming, they are looked for more often. */
const BUSY_LOOK_MS = 100;
const PARKED_LIMIT = 100;
const PRUNE_BATCH_EVENTS = 5_000;

/** The transactional outbox: facts for whoever wants them, numbered in one order for all. */
export function createEvents(dependencies: EventsDependencies): Events {
  const { database, clock, ids, log, source } = dependencies;
  const streams = [OUTBOX_STREAM, ...(dependencies.streams ?? [])];
  const store = createEventsStore(database.db);
  const counters = createCounters(dependencies.metrics);
  const consumers = new Map<string, Consumer>();
  const unnumbered = createWake(clock);
  const stopping = new AbortController();
  const endings: (() => Promise<void>)[] = [];
  let leading: Promise<void> = Promise.resolve();

  async function emit(tx: Tx, event: NewEvent): Promise<void> {
    const { type, subject } = event;
    const { channel, data } = checkEvent(event);
    const time = clock.now().toISOString();
    await store.insert(tx, { id: ids.next("evt"), source, type, subject, channel, data, time });
  }

  function subscribe(subscription: Subscription): void {
    const { name } = subscription;
    if (consumers.has(name)) throw new Error(`there are two consumers named ${name}`);
    const count = (outcome: string): void => counters.handled.add({ consumer: name, outcome });
    consumers.set(name, createConsumer(subscription, { store, clock, log, count }));
  }

  async function start(): Promise<void> {
    for (const name of consumers.keys()) await store.enter(name);
    endings.push(await database.listen(UNNUMBERED_CHANNEL, unnumbered.ring));
    endings.push(await database.listen(NUMBERED_CHANNEL, notice));
    leading = leadInTurn(
      { name: "events", lock: LEADER_LOCK, connection: database.connection, clock, log, lead },
      stopping.signal,
    );
  }

  function notice(payload: string): void {
    for (const consumer of consumers.values()) consumer.notice(payload);
  }

  /** On the one server that leads: numbers rows, and runs every consumer. */
  async function lead(client: pg.ClientBase, session: AbortSignal): Promise<void> {
    const failed = new AbortController();
    const signal = AbortSignal.any([session, failed.signal]);
    const running = [...consumers.values()].map((consumer) => consumer.run(signal));
    try {
      await prepareNumbering(client);
      const moved = new Map<Stream, number>();
      while (!signal.aborted) {
        let total = 0;
        for (const stream of streams) {
          const count = await numberStream(client, stream);
          counters.numbered.add({ stream: stream.table }, count);
          moved.set(stream, await sweepInbox(client, stream, (moved.get(stream) ?? 0) + count));
          total += count;
        }
        await unnumbered.sleep(total > 0 ? BUSY_LOOK_MS : LOOK_MS, signal);
      }
    } finally {
      failed.abort();
      await Promise.all(running);
    }
  }

  async function parked(limit = PARKED_LIMIT): Promise<ParkedEvent[]> {
    const rows = await store.parked(limit);
    return rows.map(({ consumer, event, attempts, error, parked_at }) => ({
      consumer,
      event,
      attempts,
      error,
      parkedAt: parked_at.toISOString(),
    }));
  }

  async function prune(keepMs: number): Promise<number> {
    const before = new Date(clock.now().getTime() - keepMs);
    const upTo = await store.slowest([...consumers.keys()]);
    let total = 0;
    for (let count = PRUNE_BATCH_EVENTS; count === PRUNE_BATCH_EVENTS; total += count) {
      count = await store.prune({ before, upTo, limit: PRUNE_BATCH_EVENTS });
    }
    counters.pruned.add({}, total);
    return total;
  }

  async function stop(): Promise<void> {
    stopping.abort();
    await leading;
    for (const end of endings) await end();
  }

  return {
    name: "events",
    emit,
    subscribe,
    watch: (watch) => watchEvents(watch, { store, database, clock }),
    parked,
    retryParked: store.retryParked,
    prune,
    start,
    stop,
  };
}

function createCounters(metrics: Metrics) {
  return {
    numbered: metrics.counter({
      name: "mainstay_events_numbered_total",
      help: "Rows that the sequencer of this server gave a number.",
      labels: ["stream"],
    }),
    handled: metrics.counter({
      name: "mainstay_events_handled_total",
      help: "Attempts of durable consumers: handled, failed, or failed for good and parked.",
      labels: ["consumer", "outcome"],
    }),
    pruned: metrics.counter({
      name: "mainstay_events_pruned_total",
      help: "Events deleted because of their age.",
    }),
  };
}
