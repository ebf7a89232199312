import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { createWake, type Wake } from "../wake.ts";
import type { Event, EventFilter } from "./event.ts";
import type { EventsStore } from "./store.ts";

export interface Subscription extends EventFilter {
  /** Names the cursor in the database; the same at every start. */
  name: string;
  /** Called at least once for each event, in order, one at a time: it must be idempotent. */
  handle(event: Event, signal: AbortSignal): Promise<void>;
  /** How often an event is tried before it is set aside. */
  attempts?: number;
}

export interface Consumer {
  wake: Wake;
  /** Handles events until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  counts: { handled: number; retried: number; parked: number };
}

const BATCH_EVENTS = 100;
const DEFAULT_ATTEMPTS = 8;
const FIRST_DELAY_MS = 200;
const LAST_DELAY_MS = 30_000;
/** Only a safety net: notifications wake a consumer. */
const LOOK_MS = 60_000;
const STORE_RETRY_MS = 1_000;

/** A durable consumer; must run on one server at a time. */
export function createConsumer(
  subscription: Subscription,
  { store, clock, log }: { store: EventsStore; clock: Clock; log: Log },
): Consumer {
  const { name, handle, attempts: limit = DEFAULT_ATTEMPTS } = subscription;
  const wake = createWake(clock);
  const counts = { handled: 0, retried: 0, parked: 0 };

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const hasMore = await handleBatch(signal);
        if (!hasMore) await wake.sleep(LOOK_MS, signal);
      } catch (error) {
        if (signal.aborted) return;
        log.error({ consumer: name, error }, "events: consumer cannot go on; trying again");
        await clock.sleep(STORE_RETRY_MS, signal).catch(() => {});
      }
    }
  }

  /** True when there may be more at once. */
  async function handleBatch(signal: AbortSignal): Promise<boolean> {
    await store.enter(name);
    const cursor = await store.cursor(name);
    const head = await store.head();
    if (head === cursor.position) return false;
    const events = await store.read(cursor.position, head, subscription, BATCH_EVENTS);
    let { position, attempts } = cursor;
    for (const event of events) {
      if (signal.aborted) break;
      await handleOne(event, attempts, signal);
      position = event.position;
      attempts = 0;
    }
    const hasMore = events.length === BATCH_EVENTS;
    const isThrough = !hasMore && !signal.aborted;
    await store.setCursor(name, { position: isThrough ? head : position, attempts });
    return hasMore;
  }

  /** Tries until it succeeds or is parked. A try is counted before it begins, as it may kill the server. */
  async function handleOne(event: Event, earlier: number, signal: AbortSignal): Promise<void> {
    for (let attempt = earlier + 1; ; attempt++) {
      await store.setCursor(name, { position: event.position - 1, attempts: attempt });
      const error = attempt > limit ? new Error("no attempt came to an end") : await tryOnce(event, signal);
      if (error === null) {
        counts.handled += 1;
        return;
      }
      signal.throwIfAborted();
      if (attempt >= limit) return park(event, attempt, error);
      counts.retried += 1;
      const delayMs = Math.min(FIRST_DELAY_MS * 2 ** (attempt - 1), LAST_DELAY_MS);
      log.warn({ consumer: name, event: event.id, type: event.type, attempt, delayMs, error }, "events: handling failed");
      await clock.sleep(delayMs, signal);
    }
  }

  async function tryOnce(event: Event, signal: AbortSignal): Promise<unknown> {
    try {
      await handle(event, signal);
      return null;
    } catch (error) {
      return error ?? new Error("rejected without a reason");
    }
  }

  async function park(event: Event, attempts: number, error: unknown): Promise<void> {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    await store.park({ consumer: name, event, attempts, error: text, at: clock.now() });
    counts.parked += 1;
    log.error({ consumer: name, event: event.id, type: event.type, attempts, error }, "events: event set aside");
  }

  return { wake, run, counts };
}
