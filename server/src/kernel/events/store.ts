import { sql } from "kysely";
import type { Database, Tx } from "../database/index.ts";
import type { Event, EventFilter } from "./event.ts";

type Tables = {
  "events.outbox": {
    id: string;
    position: number | null;
    channel: string;
    seq: number | null;
    source: string;
    type: string;
    subject: string;
    time: Date;
    data: Record<string, unknown>;
  };
  "events.sequences": { stream: string; partition: string; last: number };
  "events.cursors": { consumer: string; position: number; attempts: number };
  "events.parked": {
    consumer: string;
    position: number;
    event: Event;
    attempts: number;
    error: string;
    parked_at: Date;
    is_retried: boolean;
  };
};
export type ParkedRow = Tables["events.parked"];

/** Rung by whoever commits rows that want numbers. */
export const UNNUMBERED_CHANNEL = "events_unnumbered";
/** Rung when rows were numbered. */
export const NUMBERED_CHANNEL = "events_numbered";
/** The other payload is the name of a consumer that is asked to try its parked events once more. */
export const NUMBERED_PAYLOAD = "numbered";

export const OUTBOX = "events.outbox";
/** The name under which `events.sequences` remembers how far the outbox was pruned. */
const PRUNED = "events.outbox pruned";

/** How far a consumer has come, and how often the next event was begun. */
export interface Cursor {
  position: number;
  attempts: number;
}

interface Page {
  after: number;
  upTo: number;
  filter: EventFilter;
  limit: number;
}

export type EventsStore = ReturnType<typeof createEventsStore>;

/** All SQL of the room, but for the numbering. */
export function createEventsStore(database: Database) {
  const db = database.withTables<Tables>();

  async function last(stream: string): Promise<number> {
    const row = await db
      .selectFrom("events.sequences")
      .select("last")
      .where("stream", "=", stream)
      .where("partition", "=", "")
      .executeTakeFirst();
    return row?.last ?? 0;
  }

  return {
    insert: (tx: Tx, event: Omit<Event, "seq" | "position" | "data"> & { data: string }) =>
      sql`with inserted as (
        insert into events.outbox (id, channel, source, type, subject, time, data) values (${event.id},
          ${event.channel}, ${event.source}, ${event.type}, ${event.subject}, ${event.time}, ${event.data})
      ) select pg_notify(${UNNUMBERED_CHANNEL}, '')`.execute(tx),

    /** The position of the newest numbered event. */
    head: () => last(OUTBOX),

    /** The position up to which events were pruned. */
    pruned: () => last(PRUNED),

    /** Numbered events after one position and up to another, in order. */
    async read({ after, upTo, filter, limit }: Page): Promise<Event[]> {
      let query = db
        .selectFrom("events.outbox")
        .select(["id", "source", "type", "subject", "time", "data", "channel", "seq", "position"])
        .where("position", ">", after)
        .where("position", "<=", upTo)
        .orderBy("position")
        .limit(limit);
      if (filter.channels) query = query.where("channel", "=", anyOf(filter.channels));
      if (filter.types) query = query.where("type", "=", anyOf(filter.types));
      if (filter.subject !== undefined) query = query.where("subject", "=", filter.subject);
      const rows = await query.execute();
      return rows.map(({ time, seq, position, ...rest }) => ({
        ...rest,
        time: time.toISOString(),
        seq: seq ?? 0,
        position: position ?? 0,
      }));
    },

    /** Deletes up to `limit` of the oldest events before a time and up to a position; answers how many. */
    async prune({ before, upTo, limit }: { before: Date; upTo: number; limit: number }): Promise<number> {
      const { rows } = await sql<{ count: number }>`with deleted as (
        delete from events.outbox where position in (
          select position from events.outbox
          where position <= ${upTo} and time < ${before} order by position limit ${limit}
        ) returning position
      ), marked as (
        insert into events.sequences (stream, partition, last)
        select ${PRUNED}, '', max(position) from deleted having count(*) > 0
        on conflict (stream, partition) do update set last = greatest(sequences.last, excluded.last)
      ) select count(*) as count from deleted`.execute(db);
      return rows[0]?.count ?? 0;
    },

    /** Enters a new consumer at the present end: what happened before it existed is none of its business. */
    enter: (consumer: string) =>
      sql`insert into events.cursors (consumer, position)
        select ${consumer}, coalesce(max(last), 0) from events.sequences
        where stream = ${OUTBOX} and partition = ''
        on conflict (consumer) do nothing`.execute(db),

    cursor: (consumer: string) =>
      db
        .selectFrom("events.cursors")
        .select(["position", "attempts"])
        .where("consumer", "=", consumer)
        .executeTakeFirstOrThrow(),

    /** The position that all of these consumers have passed. */
    async slowest(consumers: string[]): Promise<number> {
      if (consumers.length === 0) return last(OUTBOX);
      const row = await db
        .selectFrom("events.cursors")
        .select(({ fn }) => fn.min("position").as("position"))
        .where("consumer", "in", consumers)
        .executeTakeFirst();
      return row?.position ?? 0;
    },

    /**
     * Does not wait for the disk: should PostgreSQL crash, the last cursors
     * are lost and events are handled once more, as they may be at any time.
     */
    setCursor: (consumer: string, { position, attempts }: Cursor) =>
      sql`update events.cursors set position = ${position}, attempts = ${attempts}
        where consumer = ${consumer} and set_config('synchronous_commit', 'off', true) = 'off'`.execute(db),

    /** Sets an event aside and passes it, in one transaction. */
    park: ({ consumer, event, attempts, error, parked_at }: Omit<ParkedRow, "position" | "is_retried">) =>
      db.transaction().execute(async (tx) => {
        const { position } = event;
        await sql`insert into events.parked (consumer, position, event, attempts, error, parked_at)
          values (${consumer}, ${position}, ${JSON.stringify(event)}, ${attempts}, ${error}, ${parked_at})
          on conflict do nothing`.execute(tx);
        const cursor = { position, attempts: 0 };
        await tx.updateTable("events.cursors").set(cursor).where("consumer", "=", consumer).execute();
      }),

    parked: (limit: number) =>
      db.selectFrom("events.parked").selectAll().orderBy("parked_at", "desc").limit(limit).execute(),

    /** Asks a consumer to try its parked events once more; answers how many. */
    async retryParked(consumer: string): Promise<number> {
      const { rows } = await sql<{ count: number }>`with updated as (
        update events.parked set is_retried = true where consumer = ${consumer} returning 1
      ) select count(*) as count, pg_notify(${NUMBERED_CHANNEL}, ${consumer}) from updated`.execute(db);
      return rows[0]?.count ?? 0;
    },

    retried: (consumer: string, limit: number) =>
      db
        .selectFrom("events.parked")
        .selectAll()
        .where("consumer", "=", consumer)
        .where("is_retried", "=", true)
        .orderBy("position")
        .limit(limit)
        .execute(),

    unpark: ({ consumer, position }: Pick<ParkedRow, "consumer" | "position">) =>
      db
        .deleteFrom("events.parked")
        .where("consumer", "=", consumer)
        .where("position", "=", position)
        .execute(),

    parkAgain: ({ consumer, position, attempts }: ParkedRow, error: string) =>
      db
        .updateTable("events.parked")
        .set({ attempts: attempts + 1, error, is_retried: false })
        .where("consumer", "=", consumer)
        .where("position", "=", position)
        .execute(),
  };
}

function anyOf(values: readonly string[]) {
  return sql<string>`any(${values})`;
}
