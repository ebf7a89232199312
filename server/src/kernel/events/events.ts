import type { Clock } from "../clock.ts";
import type { DatabaseHandle, Tx } from "../database/index.ts";
import type { Ids } from "../ids.ts";
import type { Log } from "../log.ts";
import { createWake } from "../wake.ts";
import { createConsumer, type Consumer, type Subscription } from "./consumer.ts";
import { checkEvent, type Event, type NewEvent } from "./event.ts";
import { leadInTurn } from "./leader.ts";
import { numberStreams } from "./sequencer.ts";
import { createEventsStore, NUMBERED_CHANNEL, OUTBOX, UNNUMBERED_CHANNEL, type Stream } from "./store.ts";
import { watchEvents, type Watch } from "./watch.ts";

export interface EventsDependencies {
  database: DatabaseHandle;
  clock: Clock;
  ids: Ids;
  log: Log;
  /** CloudEvents `source` of everything emitted here. */
  source: string;
  /** More tables that want numbers in the order of commitment, such as the audit's. */
  streams?: readonly Stream[];
}

export interface Events {
  name: "events";
  /** Tells of a change of state, in the transaction that makes it; nobody hears of it if that is rolled back. */
  emit(tx: Tx, event: NewEvent): Promise<void>;
  /** Adds a durable consumer; before `start`. It begins with the events of the time when it is first seen. */
  subscribe(subscription: Subscription): void;
  /** Events as they happen, for readers that are there now. */
  watch(watch: Watch): AsyncIterable<Event>;
  /** What happened since the start, for /metrics. */
  counts(): EventCounts;
  start(): Promise<void>;
  /** Resolves when every handler has returned. */
  stop(): Promise<void>;
}

export interface EventCounts {
  emitted: number;
  numbered: number;
  consumers: Record<string, Consumer["counts"]>;
}

const OUTBOX_STREAM: Stream = {
  table: OUTBOX,
  number: "position",
  within: { partition: "channel", number: "seq" },
};
/** Only a safety net: notifications wake the sequencer. */
const LOOK_MS = 60_000;

/** The transactional outbox: typed facts for whoever wants them, each once in the order of all. */
export function createEvents(dependencies: EventsDependencies): Events {
  const { database, clock, ids, log, source } = dependencies;
  const streams = [OUTBOX_STREAM, ...(dependencies.streams ?? [])];
  const store = createEventsStore(database.db);
  const consumers = new Map<string, Consumer>();
  const unnumbered = createWake(clock);
  const stopping = new AbortController();
  const counts = { emitted: 0, numbered: 0 };
  let endListening: (() => Promise<void>)[] = [];
  let leading: Promise<void> = Promise.resolve();

  async function emit(tx: Tx, event: NewEvent): Promise<void> {
    const { channel, data } = checkEvent(event);
    const { type, subject } = event;
    await store.insert(tx, { id: ids.next("evt"), source, type, subject, channel, data, time: clock.now().toISOString() });
    counts.emitted += 1;
  }

  function subscribe(subscription: Subscription): void {
    if (consumers.has(subscription.name)) throw new Error(`there are two consumers named ${subscription.name}`);
    consumers.set(subscription.name, createConsumer(subscription, { store, clock, log }));
  }

  async function start(): Promise<void> {
    for (const name of consumers.keys()) await store.enter(name);
    endListening = [
      await database.listen(UNNUMBERED_CHANNEL, unnumbered.ring),
      await database.listen(NUMBERED_CHANNEL, () => {
        for (const consumer of consumers.values()) consumer.wake.ring();
      }),
    ];
    leading = leadInTurn({ connection: database.connection, clock, log, lead }, stopping.signal);
  }

  /** On the one server that leads: numbers rows, and runs every consumer. */
  async function lead(client: Parameters<typeof numberStreams>[0], session: AbortSignal): Promise<void> {
    const failed = new AbortController();
    const signal = AbortSignal.any([session, failed.signal]);
    const running = [...consumers.values()].map((consumer) => consumer.run(signal));
    try {
      while (!signal.aborted) {
        counts.numbered += await numberStreams(client, streams);
        await unnumbered.sleep(LOOK_MS, signal);
      }
    } finally {
      failed.abort();
      await Promise.all(running);
    }
  }

  async function stop(): Promise<void> {
    stopping.abort();
    await leading;
    await Promise.all(endListening.map((end) => end()));
  }

  return {
    name: "events",
    emit,
    subscribe,
    watch: (watch) => watchEvents(watch, { store, database, clock }),
    counts: () => ({
      ...counts,
      consumers: Object.fromEntries([...consumers].map(([name, consumer]) => [name, { ...consumer.counts }])),
    }),
    start,
    stop,
  };
}
