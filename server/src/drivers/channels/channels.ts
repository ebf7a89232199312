import { createHash } from "node:crypto";
import {
  AppError,
  type ChannelConfig,
  type ChannelResource,
  type DeliveryResource,
  type DeliveryState,
} from "@mainstay/api";
import { z } from "zod";
import type { Audit } from "../../core/audit/index.ts";
import type { LongRunning } from "../../kernel/actors.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Database } from "../../kernel/database/index.ts";
import type { Events } from "../../kernel/events/index.ts";
import type { Ids, Random } from "../../kernel/ids.ts";
import type { Jobs } from "../../kernel/jobs/index.ts";
import type { Log } from "../../kernel/log.ts";
import type { Origin } from "../../kernel/http/index.ts";
import { maskSecrets } from "../../kernel/redact.ts";
import { createCourier } from "./courier.ts";
import { testMessage, TOLD_TYPES } from "./domain/message.ts";
import { createSender } from "./kinds.ts";
import type { ChannelMetrics } from "./metrics.ts";
import { createQueue, jobOf } from "./queue.ts";
import { toChannel, toDelivery } from "./resources.ts";
import type { ReadSecret } from "./secret-source.ts";
import type { Outgoing } from "./sender.ts";
import { createChannelsStore, type DeliveryFilter } from "./store.ts";

export interface ChannelsDependencies {
  channels: Record<string, ChannelConfig>;
  readSecret: ReadSecret;
  /** Of this machine, for people who have several. */
  hostName: string;
  db: Database;
  clock: Clock;
  ids: Ids;
  random: Random;
  audit: Audit;
  events: Pick<Events, "subscribe">;
  jobs: Jobs;
  log: Log;
  metrics: ChannelMetrics;
}

export interface DeliveriesQuery {
  channel?: string | undefined;
  state?: DeliveryState | undefined;
  cursor?: string | undefined;
  limit: number;
}

export interface Channels extends LongRunning {
  list(): Promise<ChannelResource[]>;
  /** Sends one message now and answers what came of it. Throws NOT_FOUND. */
  test(name: string, origin: Origin): Promise<DeliveryResource>;
  /** One attempt to hand a message to a channel, whatever it is told of else. Throws why it was not taken. */
  send(name: string, message: Outgoing, signal: AbortSignal): Promise<void>;
  /** Newest first. */
  deliveries(query: DeliveriesQuery): Promise<{ items: DeliveryResource[]; next: string | null }>;
  /** Asks anew for attempts that are overdue, and deletes what was finished before. */
  keep(finishedBefore: Date): Promise<void>;
}

/** Several attempts of one subject may be made in one job. */
const DEADLINE_MS = 120_000;

/** Reaching people and systems: who is told of what, and what came of it. */
export function createChannels(dependencies: ChannelsDependencies): Channels {
  const { channels, readSecret, db, clock, audit, events, jobs } = dependencies;
  const store = createChannelsStore(db);
  const tools = { clock, readSecret };
  const senders = new Map(
    Object.entries(channels).map(([name, config]) => [name, createSender(config, tools)]),
  );
  const queue = createQueue({ ...dependencies, store });
  const courier = createCourier({ ...dependencies, store, queue, senders });

  events.subscribe({ name: "channels", types: TOLD_TYPES, handle: queue.accept });
  const options = { data: z.object({ delivery: z.string() }), deadlineMs: DEADLINE_MS };
  for (const name of Object.keys(channels)) {
    jobs.define(jobOf(name), options, ({ data, signal }) => courier.deliver(data.delivery, signal));
  }

  async function list(): Promise<ChannelResource[]> {
    // One after the other: looked at for metrics again and again, at once they would keep a connection each.
    const rows = await store.channels();
    const counts = await store.counts();
    const last = await store.lastAttempts();
    return Object.entries(channels).map(([name, config]) =>
      toChannel({
        ...{ name, config, target: senders.get(name)?.target ?? "" },
        row: rows.find((each) => each.name === name),
        last: last.find((each) => each.channel === name),
        counts: counts.filter((each) => each.channel === name),
      }),
    );
  }

  async function test(name: string, origin: Origin): Promise<DeliveryResource> {
    if (!senders.has(name)) throw new AppError("NOT_FOUND", { what: `a channel named ${name}` });
    const message = testMessage(name, origin.actor.name);
    const event = { source: "mainstay", type: "channels.tested", subject: name };
    const data = { channel: name, by: origin.actor.name };
    const time = clock.now().toISOString();
    const id = dependencies.ids.next("evt");
    const about = { specversion: "1.0", id, ...event, time, datacontenttype: "application/json", data };
    const row = queue.draft(name, message, JSON.stringify(about));
    await db.transaction().execute(async (tx) => {
      await store.insert(tx, row);
      const resource = { type: "channel", id: name };
      await audit.record(tx, { ...origin, action: "channels.tested", resource });
    });
    const after = await courier.attempt(row, AbortSignal.timeout(DEADLINE_MS), false);
    // One that takes messages again has come back.
    if (after?.state === "delivered")
      await db.transaction().execute((tx) => store.setDisabled(tx, name, null));
    return toDelivery(after ?? row);
  }

  async function send(name: string, message: Outgoing, signal: AbortSignal): Promise<void> {
    const sender = senders.get(name);
    if (!sender) throw new AppError("NOT_FOUND", { what: `a channel named ${name}` });
    const outcome = await sender.send(message, signal);
    if (outcome.kind !== "delivered") throw new Error(maskSecrets(outcome.error));
  }

  async function deliveries({ cursor, ...query }: DeliveriesQuery) {
    const filter: DeliveryFilter = { ...query, before: cursor, limit: query.limit + 1 };
    const rows = await store.list(filter);
    const items = rows.slice(0, query.limit).map(toDelivery);
    return { items, next: rows.length > query.limit ? (items.at(-1)?.id ?? null) : null };
  }

  /** What was pending when a server died, or its job was lost, gets a job again. */
  async function askAnew(): Promise<void> {
    const now = clock.now();
    const notOf = Object.keys(channels);
    const error = "the channel is no longer in the configuration";
    await db.transaction().execute((tx) => store.giveUp(tx, { notOf }, { error, now }));
    for (const row of await store.pending()) await queue.enqueue(row);
  }

  return {
    name: "channels",
    list,
    test,
    send,
    deliveries,
    async keep(finishedBefore) {
      await store.prune(finishedBefore);
      await askAnew();
    },
    async start() {
      await store.adopt(
        Object.entries(channels).map(([name, config]) => ({ name, ...fingerprintOf(config) })),
      );
      await askAnew();
    },
    stop() {},
  };
}

function fingerprintOf(config: ChannelConfig): { fingerprint: string } {
  return { fingerprint: createHash("sha256").update(JSON.stringify(config)).digest("hex") };
}
