import { AppError } from "@mainstay/api";
import type { Clock } from "../clock.ts";
import type { DatabaseHandle } from "../database/index.ts";
import { createWake } from "../wake.ts";
import type { Event, EventFilter } from "./event.ts";
import { NUMBERED_CHANNEL, type EventsStore } from "./store.ts";

export interface Watch extends EventFilter {
  /** The position of the last event already seen; only what happens from now on, unless given. */
  after?: number | undefined;
  signal: AbortSignal;
}

interface WatchDependencies {
  store: EventsStore;
  database: DatabaseHandle;
  clock: Clock;
}

const PAGE_EVENTS = 200;
/** Only a safety net: notifications wake a watcher. */
const LOOK_MS = 60_000;

/**
 * Events as they happen, in order, until the signal aborts. The reader sets
 * the pace: at most one page is held in memory, and a slow reader misses
 * nothing. Throws EVENTS_PRUNED when events after `after` are no longer there.
 */
export async function* watchEvents(watch: Watch, dependencies: WatchDependencies): AsyncGenerator<Event> {
  const { store, database, clock } = dependencies;
  const { after, signal, ...filter } = watch;
  const wake = createWake(clock);
  const stopListening = await database.listen(NUMBERED_CHANNEL, wake.ring);
  try {
    let position = after ?? (await store.head());
    while (!signal.aborted) {
      const page = await readPage(store, position, filter);
      yield* untilAborted(page.events, signal);
      position = page.position;
      if (!page.isFull) await wake.sleep(LOOK_MS, signal);
    }
  } finally {
    await stopListening();
  }
}

async function readPage(store: EventsStore, after: number, filter: EventFilter) {
  const head = await store.head();
  const events = await store.read({ after, upTo: head, filter, limit: PAGE_EVENTS });
  // Asked last: what was pruned while the page was read is missing in it.
  const pruned = await store.pruned();
  if (after < pruned) throw new AppError("EVENTS_PRUNED", { after, oldest: pruned + 1 });
  const isFull = events.length === PAGE_EVENTS;
  return { events, isFull, position: isFull ? (events.at(-1)?.position ?? head) : head };
}

function* untilAborted(events: Event[], signal: AbortSignal): Generator<Event> {
  for (const event of events) {
    if (signal.aborted) return;
    yield event;
  }
}
