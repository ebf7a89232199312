import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestDatabase } from "../../../../tests/support/database.ts";
import { createTestEvents, type TestEvents } from "../../../../tests/support/events.ts";
import { createSystemClock } from "../clock.ts";
import { openDatabase, type DatabaseHandle } from "../database/index.ts";
import { silentLog } from "../../../../tests/support/log.ts";

const CHANNELS = ["flags", "changes", "alerts"];
const WRITERS = 6;
const EVENTS_PER_WRITER = 60;

let one: DatabaseHandle & { url: string };
let other: DatabaseHandle;

beforeAll(async () => {
  one = await openTestDatabase();
  const unused = "/nonexistent";
  const options = {
    dataDirectory: unused,
    runtimeDirectory: unused,
    log: silentLog,
    clock: createSystemClock(),
  };
  other = await openDatabase({ ...options, url: one.url });
});

afterAll(async () => {
  await other.close();
  await one.close();
});

test("two servers number concurrent writers without a gap, although leaders are killed and writers roll back", async () => {
  const servers = [createTestEvents(one), createTestEvents(other)];
  await Promise.all(servers.map((events) => events.start()));
  const written = Array.from({ length: WRITERS }, (_, writer) => write(writer, servers));
  const killing = killLeaders(Promise.all(written));
  const committed = (await Promise.all(written)).reduce((sum, count) => sum + count, 0);
  await killing;
  await everythingNumbered(servers[0]!, committed);
  await Promise.all(servers.map((events) => events.stop()));

  const { rows } = await one.pool.query<{
    channel: string;
    seq: number;
    position: number;
    writer: number;
    nth: number;
  }>(
    `select channel, seq, position, (data->>'writer')::int as writer, (data->>'nth')::int as nth
     from events.outbox order by position`,
  );
  expect(rows.map((row) => row.position)).toEqual(upTo(committed));
  for (const channel of CHANNELS) {
    const own = rows.filter((row) => row.channel === channel);
    expect(own.map((row) => row.seq)).toEqual(upTo(own.length));
  }
  for (const writer of upTo(WRITERS)) {
    const own = rows.filter((row) => row.writer === writer - 1).map((row) => row.nth);
    expect(own).toEqual(own.toSorted((a, b) => a - b));
  }
});

/** One after the other, some of them rolled back; answers how many were committed. */
async function write(writer: number, servers: TestEvents[]): Promise<number> {
  let committed = 0;
  for (const nth of upTo(EVENTS_PER_WRITER)) {
    const events = servers[nth % servers.length]!;
    const handle = nth % 2 === 0 ? one : other;
    const isRolledBack = (nth + writer) % 7 === 0;
    const type = `${CHANNELS[(nth + writer) % CHANNELS.length]}.told`;
    await handle.db
      .transaction()
      .execute(async (tx) => {
        await events.emit(tx, { type, subject: "x", data: { writer, nth } });
        if (isRolledBack) throw new Error("rolled back");
      })
      .then(
        () => (committed += 1),
        () => {},
      );
  }
  return committed;
}

async function killLeaders(writing: Promise<unknown>): Promise<void> {
  let isWriting = true;
  void writing.then(() => (isWriting = false));
  while (isWriting) {
    await one.pool.query(`select pg_terminate_backend(pid), pg_sleep(0.05) from pg_stat_activity
      where datname = current_database() and application_name = 'mainstay events'`);
  }
}

async function everythingNumbered(events: TestEvents, count: number): Promise<void> {
  const watching = new AbortController();
  for await (const event of events.watch({ after: 0, signal: watching.signal })) {
    if (event.position === count) watching.abort();
  }
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
