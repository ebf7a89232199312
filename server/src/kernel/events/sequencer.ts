import type pg from "pg";
import { NUMBERED_CHANNEL, NUMBERED_PAYLOAD } from "./store.ts";

/** A table whose committed rows get numbers. All names are constants of the code. */
export type Stream = NumberedStream | MovedStream;

/** Rows that are numbered where they stand. */
interface NumberedStream {
  /** `schema.table`; has a column `insertion bigint generated always as identity`. */
  table: string;
  /** The column numbered over the whole table; null until the sequencer came by. */
  number: string;
  /** A second number that counts within each value of another column. */
  within?: { partition: string; number: string };
}

/** Rows that come in at another table and move into this one with their number: each is indexed once. */
interface MovedStream {
  table: string;
  number: string;
  /** Where they come in; has a column `insertion`, by which it is indexed. */
  inbox: string;
  /**
   * Ends a statement `with … numbered as (…)`, the rows of the inbox with their numbers: writes all of them.
   */
  move: string;
}

const BATCH_ROWS = 1000;

/**
 * What a session needs before it numbers rows. The index of rows without a number is full of those that have
 * one by now; a bitmap scan reads all of them at every look, a plain one remembers that they are gone.
 */
export async function prepareNumbering(client: pg.ClientBase): Promise<void> {
  await client.query("set enable_bitmapscan = off");
}

/**
 * Numbers every committed row of the stream that has no number yet, in the order of insertion; answers
 * how many. The client's session must hold the leader's lock: who loses the lock has lost the session and
 * with it the statement, so that two sequencers never write at the same time and no number is left out.
 */
export async function numberStream(client: pg.ClientBase, stream: Stream): Promise<number> {
  const statement = "inbox" in stream ? movingStatement(stream) : numberingStatement(stream);
  let total = 0;
  for (let count = BATCH_ROWS; count === BATCH_ROWS; total += count) {
    const result = await client.query(statement, [stream.table, BATCH_ROWS]);
    count = result.rowCount ?? 0;
    if (count > 0) await client.query(`notify ${NUMBERED_CHANNEL}, '${NUMBERED_PAYLOAD}'`);
  }
  return total;
}

/** Moved rows leave dead ones behind, which autovacuum would not look at for a minute. */
const SWEEP_ROWS = 10_000;

/**
 * Frees the room of rows that were moved, once enough of them were; answers how many are still to be swept.
 */
export async function sweepInbox(client: pg.ClientBase, stream: Stream, moved: number): Promise<number> {
  if (!("inbox" in stream) || moved < SWEEP_ROWS) return moved;
  // Without giving the file back: who inserts would have to wait, and it is filled again at once.
  await client.query(`vacuum (truncate off) ${stream.inbox}`);
  return 0;
}

/**
 * One statement: rows and sequences change together or not at all. Rows are found again by their
 * place, whatever statistics say of the table: nobody else alters a row that has no number.
 */
function numberingStatement({ table, number, within }: NumberedStream): string {
  const partition = within ? within.partition : "''";
  const local = within ? `, ${within.number} = local.last - local.count + batch.nth_within` : "";
  return `
    with unnumbered as (
      select ctid as place, insertion, ${partition} as partition from ${table}
      where ${number} is null order by insertion limit $2
    ), batch as (
      select place, partition, row_number() over (order by insertion) as nth,
        row_number() over (partition by partition order by insertion) as nth_within
      from unnumbered
    ), counts as (
      select '' as partition, count(*) as count from batch having count(*) > 0
      union all select partition, count(*) from batch where partition <> '' group by partition
    ), advanced as (
      insert into events.sequences as known (stream, partition, last) select $1, partition, count from counts
      on conflict (stream, partition) do update set last = known.last + excluded.last
      returning partition, last
    ), numbers as (
      select partition, last, count from advanced join counts using (partition)
    )
    update ${table} as target set ${number} = whole.last - whole.count + batch.nth${local}
    from batch
      join numbers as whole on whole.partition = ''
      join numbers as local on local.partition = batch.partition
    where target.ctid = batch.place and target.${number} is null`;
}

/**
 * One statement too. Numbers are counted over what was
 * taken out, so none is given to a row that is not moved.
 */
function movingStatement({ number, inbox, move }: MovedStream): string {
  return `
    with taken as (
      delete from ${inbox} where ctid = any (array (select ctid from ${inbox} order by insertion limit $2))
      returning *
    ), advanced as (
      insert into events.sequences as known (stream, partition, last)
      select $1, '', count(*) from taken having count(*) > 0
      on conflict (stream, partition) do update set last = known.last + excluded.last
      returning last
    ), numbered as (
      select taken.*,
        last - (select count(*) from taken) + row_number() over (order by insertion) as ${number}
      from taken, advanced
    )
    ${move}`;
}
