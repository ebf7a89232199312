import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { createWake } from "../wake.ts";
import type { Event, EventFilter } from "./event.ts";
import { NUMBERED_PAYLOAD, type Cursor, type EventsStore } from "./store.ts";

export interface Subscription extends EventFilter {
  /** Names the cursor in the database; the same at every start. */
  name: string;
  /**
   * Called at least once for each event, in order, one at a time:
   * it must be idempotent. The signal aborts when the server stops.
   */
  handle(event: Event, signal: AbortSignal): Promise<void>;
  /** How often an event is tried before it is set aside. */
  attempts?: number;
}

export type Outcome = "handled" | "failed" | "parked";

export interface ConsumerDependencies {
  store: EventsStore;
  clock: Clock;
  log: Log;
  count(outcome: Outcome): void;
}

export interface Consumer {
  /** To be called with each payload of the channel that tells of numbered events. */
  notice(payload: string): void;
  /** Handles events until the signal aborts; on one server at a time. */
  run(signal: AbortSignal): Promise<void>;
}

const BATCH_EVENTS = 100;
const DEFAULT_ATTEMPTS = 8;
const FIRST_DELAY_MS = 200;
const LAST_DELAY_MS = 30_000;
/** Only a safety net: notifications wake a consumer. */
const LOOK_MS = 60_000;
const DATABASE_RETRY_MS = 1_000;

/** A durable consumer: its place is a cursor in the database. */
export function createConsumer(subscription: Subscription, dependencies: ConsumerDependencies): Consumer {
  const { name, handle, attempts: limit = DEFAULT_ATTEMPTS } = subscription;
  const { store, clock, log, count } = dependencies;
  const wake = createWake(clock);
  /** As the database has it; null when that has to be read. */
  let cursor: Cursor | null = null;
  let isRetryAsked = true;

  async function run(signal: AbortSignal): Promise<void> {
    isRetryAsked = true;
    while (!signal.aborted) {
      try {
        await retryParked(signal);
        const hasMore = await handleBatch(signal);
        if (!hasMore) await wake.sleep(LOOK_MS, signal);
      } catch (error) {
        if (signal.aborted) break;
        cursor = null;
        log.error({ consumer: name, error }, "consumer of events cannot go on; trying again");
        await clock.sleep(DATABASE_RETRY_MS, signal).catch(() => {});
      }
    }
    cursor = null;
  }

  /** True when there may be more at once. */
  async function handleBatch(signal: AbortSignal): Promise<boolean> {
    cursor ??= await store.cursor(name);
    const { position: after, attempts } = cursor;
    const head = await store.head();
    if (head === after) return false;
    const events = await store.read({ after, upTo: head, filter: subscription, limit: BATCH_EVENTS });
    for (const [index, event] of events.entries()) {
      if (signal.aborted) return false;
      await handleOne(event, index === 0 ? attempts : 0, signal);
    }
    const hasMore = events.length === BATCH_EVENTS;
    if (!hasMore) await move({ position: head, attempts: 0 });
    return hasMore;
  }

  async function move(to: Cursor): Promise<void> {
    cursor = to;
    await store.setCursor(name, to);
  }

  /** Tries until it succeeds or is parked. A try is counted before it begins, as it may kill the server. */
  async function handleOne(event: Event, earlier: number, signal: AbortSignal): Promise<void> {
    for (let attempt = earlier + 1; ; attempt++) {
      await move({ position: event.position - 1, attempts: attempt });
      const error = attempt > limit ? new Error("no attempt came to an end") : await failure(event, signal);
      if (error === null) {
        count("handled");
        return move({ position: event.position, attempts: 0 });
      }
      signal.throwIfAborted();
      count("failed");
      if (attempt >= limit) return park(event, attempt, error);
      const delayMs = Math.min(FIRST_DELAY_MS * 2 ** (attempt - 1), LAST_DELAY_MS);
      log.warn({ ...describe(event), attempt, delayMs, error }, "event could not be handled; trying again");
      await clock.sleep(delayMs, signal);
    }
  }

  async function park(event: Event, attempts: number, error: unknown): Promise<void> {
    await store.park({ consumer: name, event, attempts, error: textOf(error), parked_at: clock.now() });
    cursor = { position: event.position, attempts: 0 };
    count("parked");
    log.error({ ...describe(event), attempts, error }, "event set aside");
  }

  /** What somebody asked to be tried once more. */
  async function retryParked(signal: AbortSignal): Promise<void> {
    if (!isRetryAsked) return;
    isRetryAsked = false;
    for (const row of await store.retried(name, BATCH_EVENTS)) {
      if (signal.aborted) return;
      const error = await failure(row.event, signal);
      count(error === null ? "handled" : "failed");
      await (error === null ? store.unpark(row) : store.parkAgain(row, textOf(error)));
    }
  }

  async function failure(event: Event, signal: AbortSignal): Promise<unknown> {
    try {
      await handle(event, signal);
      return null;
    } catch (error) {
      return error ?? new Error("rejected without a reason");
    }
  }

  function describe(event: Event): Record<string, unknown> {
    return { consumer: name, event: event.id, type: event.type };
  }

  return {
    run,
    notice(payload) {
      // After a lost connection it is empty: anything may have been asked meanwhile.
      if (payload !== NUMBERED_PAYLOAD) isRetryAsked = true;
      wake.ring();
    },
  };
}

function textOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
