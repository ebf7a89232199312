import type { ChannelConfig } from "@mainstay/api";
import type { Clock } from "../../kernel/clock.ts";
import type { Database, Tx } from "../../kernel/database/index.ts";
import type { Event } from "../../kernel/events/index.ts";
import type { Ids } from "../../kernel/ids.ts";
import type { Jobs } from "../../kernel/jobs/index.ts";
import { messageOf, type Message } from "./domain/message.ts";
import { BURST, heldUntil } from "./domain/schedule.ts";
import type { ChannelMetrics } from "./metrics.ts";
import type { ChannelsStore, DeliveryRow } from "./store.ts";

/** More than this wait for a channel only when nobody has looked at it for days. */
const PENDING_LIMIT = 1_000;

export interface QueueDependencies {
  channels: Record<string, ChannelConfig>;
  store: ChannelsStore;
  db: Database;
  clock: Clock;
  ids: Ids;
  jobs: Pick<Jobs, "enqueue">;
  metrics: ChannelMetrics;
}

/**
 * The name of the jobs of a channel: each has a queue of its own, so that none waits for another's receiver.
 */
export function jobOf(channel: string): string {
  return `deliver-${channel}`;
}

/** Turns events into deliveries, in the transaction that remembers how far that went. */
export function createQueue({ channels, store, db, clock, ids, jobs, metrics }: QueueDependencies) {
  async function accept(event: Event): Promise<void> {
    const message = messageOf(event);
    if (message === null) return;
    const interested = Object.entries(channels).filter(([, { events }]) =>
      events.some((topic) => topic === message.topic),
    );
    const payload = JSON.stringify(toCloudEvent(event));
    const outcomes = await db.transaction().execute(async (tx) => {
      if (!(await store.advance(tx, event.position))) return [];
      const placed = [];
      for (const [name, config] of interested) {
        placed.push({ name, outcome: await place(tx, { name, config, message, payload }) });
      }
      return placed;
    });
    for (const { name, outcome } of outcomes) metrics.message(name, outcome);
  }

  async function place(
    tx: Tx,
    {
      name,
      config,
      message,
      payload,
    }: { name: string; config: ChannelConfig; message: Message; payload: string },
  ): Promise<"accepted" | "grouped" | "dropped" | "failed"> {
    const now = clock.now();
    const row = draft(name, message, payload);
    const channel = await store.channel(tx, name);
    const disabled = channel?.disabled_reason ?? null;
    if (disabled !== null) {
      const over = {
        state: "failed",
        next_attempt_at: null,
        last_error: disabled,
        finished_at: now,
      } as const;
      await store.insert(tx, { ...row, ...over });
      return "failed";
    }
    const { mood, title, body } = row;
    if (await store.replaceHeld(tx, row, { mood, title, body, payload, now })) return "grouped";
    if ((await store.countPending(tx, name)) >= PENDING_LIMIT) {
      await store.countDropped(tx, name);
      return "dropped";
    }
    const due = (await store.newest(tx, row, BURST)).map((each) => each.due_at);
    const at = heldUntil(due, { now, withinMs: config.groupWithin }) ?? now;
    await store.insert(tx, { ...row, due_at: at, next_attempt_at: at });
    await enqueue({ ...row, next_attempt_at: at }, tx);
    return "accepted";
  }

  function draft(channel: string, message: Message, payload: string): DeliveryRow {
    const { topic, mood, subject, title, body } = message;
    const now = clock.now();
    return {
      ...{ id: ids.next("dlv"), channel, topic, mood, subject, title, payload },
      ...{ body: body.join("\n\n"), suppressed: 0, state: "pending", attempts: 0 },
      ...{ due_at: now, next_attempt_at: now, last_attempt_at: null, last_error: null },
      ...{ created_at: now, finished_at: null },
    };
  }

  /** Asks for the next attempt of a delivery, once however often it is asked. */
  async function enqueue(row: DeliveryRow, tx?: Tx): Promise<void> {
    const { id, channel, attempts, next_attempt_at: at } = row;
    const singletonKey = `${id}.${attempts}.${at?.getTime() ?? 0}`;
    // What is due wakes its worker; what has a time is looked for every few seconds.
    const later = at !== null && at > clock.now() ? { runAfter: at } : {};
    await jobs.enqueue(jobOf(channel), { delivery: id }, { singletonKey, ...later, ...(tx ? { tx } : {}) });
  }

  return { accept, draft, enqueue };
}
export type Queue = ReturnType<typeof createQueue>;

/** CloudEvents 1.0, structured: what the outbox has, without its place in it. */
function toCloudEvent({ id, source, type, subject, time, data }: Event) {
  return { specversion: "1.0", id, source, type, subject, time, datacontenttype: "application/json", data };
}
