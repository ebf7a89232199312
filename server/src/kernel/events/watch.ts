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

const PAGE_EVENTS = 200;
/** Only a safety net: notifications wake a watcher. */
const LOOK_MS = 60_000;

/**
 * Events as they happen, in order, until the signal aborts. The reader sets the pace: at most one page is held in
 * memory, and a slow reader misses nothing. Throws EVENTS_PRUNED when events after `after` are no longer there.
 */
export async function* watchEvents(
  { after, signal, ...filter }: Watch,
  { store, database, clock }: { store: EventsStore; database: DatabaseHandle; clock: Clock },
): AsyncGenerator<Event, void, void> {
  const wake = createWake(clock);
  const stopListening = await database.listen(NUMBERED_CHANNEL, wake.ring);
  try {
    let position = after ?? (await store.head());
    while (!signal.aborted) {
      const head = await store.head();
      const page = await store.read(position, head, filter, PAGE_EVENTS);
      const pruned = await store.pruned();
      if (position < pruned) throw new AppError("EVENTS_PRUNED", { after: position, oldest: pruned + 1 });
      for (const event of page) {
        if (signal.aborted) return;
        yield event;
        position = event.position;
      }
      if (page.length === PAGE_EVENTS) continue;
      position = head;
      await wake.sleep(LOOK_MS, signal);
    }
  } finally {
    await stopListening();
  }
}
