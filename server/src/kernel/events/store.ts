import { sql } from "kysely";
import type pg from "pg";
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
  };
};

/** Rung by whoever commits rows that want numbers. */
export const UNNUMBERED_CHANNEL = "events_unnumbered";
/** Rung by the sequencer when it has numbered some. */
export const NUMBERED_CHANNEL = "events_numbered";

export const OUTBOX = "events.outbox";
const PRUNED = "pruned";

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
    async read(after: number, upTo: number, filter: EventFilter, limit: number): Promise<Event[]> {
      let query = db
        .selectFrom("events.outbox")
        .select(["id", "source", "type", "subject", "time", "data", "channel", "seq", "position"])
        .where("position", ">", after)
        .where("position", "<=", upTo)
        .orderBy("position")
        .limit(limit);
      if (filter.channels) query = query.where("channel", "in", [...filter.channels]);
      if (filter.types) query = query.where("type", "in", [...filter.types]);
      if (filter.subject !== undefined) query = query.where("subject", "=", filter.subject);
      const rows = await query.execute();
      return rows.map((row) => ({
        ...row,
        time: row.time.toISOString(),
        seq: row.seq ?? 0,
        position: row.position ?? 0,
      }));
    },

    /** Enters a new consumer at the present end: what happened before it existed is none of its business. */
    enter: (consumer: string) =>
      sql`insert into events.cursors (consumer, position)
        select ${consumer}, coalesce(max(last), 0) from events.sequences where stream = ${OUTBOX} and partition = ''
        on conflict (consumer) do nothing`.execute(db),

    cursor: (consumer: string) =>
      db
        .selectFrom("events.cursors")
        .select(["position", "attempts"])
        .where("consumer", "=", consumer)
        .executeTakeFirstOrThrow(),

    setCursor: (consumer: string, cursor: { position: number; attempts: number }) =>
      db.updateTable("events.cursors").set(cursor).where("consumer", "=", consumer).execute(),

    /** Sets an event aside and passes it, in one transaction. */
    park: (row: { consumer: string; event: Event; attempts: number; error: string; at: Date }) =>
      db.transaction().execute(async (tx) => {
        await sql`insert into events.parked (consumer, position, event, attempts, error, parked_at) values
          (${row.consumer}, ${row.event.position}, ${JSON.stringify(row.event)}, ${row.attempts}, ${row.error}, ${row.at})
          on conflict do nothing`.execute(tx);
        const cursor = { position: row.event.position, attempts: 0 };
        await tx.updateTable("events.cursors").set(cursor).where("consumer", "=", row.consumer).execute();
      }),

    parked: (limit: number) =>
      db.selectFrom("events.parked").selectAll().orderBy("parked_at", "desc").limit(limit).execute(),
  };
}

/** A table whose committed rows get numbers. All names are constants of the code. */
export interface Stream {
  /** `schema.table`; has a column `insertion bigint generated always as identity`. */
  table: string;
  /** The column numbered over the whole table; null until the sequencer came by. */
  number: string;
  /** A second number that counts within each value of another column. */
  within?: { partition: string; number: string };
}

/** Numbers up to `limit` committed rows in the order of their insertion; answers how many. One statement, hence atomic. */
export async function numberRows(client: pg.ClientBase, stream: Stream, limit: number): Promise<number> {
  const { rowCount } = await client.query(numberingStatement(stream), [stream.table, limit]);
  return rowCount ?? 0;
}

function numberingStatement({ table, number, within }: Stream): string {
  const partition = within ? within.partition : "''";
  const local = within ? `, ${within.number} = each.last - each.count + batch.nth_within` : "";
  return `
    with unnumbered as (
      select insertion, ${partition} as partition from ${table}
      where ${number} is null order by insertion limit $2
    ), batch as (
      select insertion, partition, row_number() over (order by insertion) as nth,
        row_number() over (partition by partition order by insertion) as nth_within
      from unnumbered
    ), counts as (
      select '' as partition, count(*) as count from batch having count(*) > 0
      union all select partition, count(*) from batch where partition <> '' group by partition
    ), sequence as (
      insert into events.sequences as known (stream, partition, last) select $1, partition, count from counts
      on conflict (stream, partition) do update set last = known.last + excluded.last
      returning partition, last
    ), each as (
      select sequence.partition, last, count from sequence join counts using (partition)
    )
    update ${table} as target set ${number} = whole.last - whole.count + batch.nth${local}
    from batch join each as whole on whole.partition = '' join each on each.partition = batch.partition
    where target.insertion = batch.insertion`;
}
