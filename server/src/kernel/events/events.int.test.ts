import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestDatabase } from "../../../../tests/support/database.ts";
import { createCollector, createTestEvents, type TestEvents } from "../../../../tests/support/events.ts";
import type { DatabaseHandle } from "../database/index.ts";
import type { Event } from "./index.ts";

let database: DatabaseHandle;
let running: TestEvents[];

beforeEach(async () => {
  database = await openTestDatabase();
  running = [];
});

afterEach(async () => {
  await Promise.all(running.map((events) => events.stop()));
  await database.close();
});

async function start(events: TestEvents): Promise<TestEvents> {
  running.push(events);
  await events.start();
  return events;
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
const event = (index: number) => ({ type: "tests.counted", subject: "x", data: { index } });

test("a committed event reaches the consumer as a CloudEvent with its numbers", async () => {
  const events = createTestEvents(database);
  const seen = createCollector<Event>(1);
  events.subscribe({ name: "reader", handle: async (each) => seen.add(each) });
  await start(events);
  await events.tell({ type: "changes.succeeded", subject: "chg_1", data: { weight: 1 } });
  await seen.full;
  expect(seen.items).toEqual([
    {
      id: expect.stringMatching(/^evt_[0-9a-f]{32}$/),
      source: "mainstay/test",
      type: "changes.succeeded",
      subject: "chg_1",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      data: { weight: 1 },
      channel: "changes",
      seq: 1,
      position: 1,
    },
  ]);
});

test("nobody hears of an event whose transaction was rolled back, and it takes no number", async () => {
  const events = createTestEvents(database);
  const seen = createCollector<Event>(2);
  events.subscribe({ name: "reader", handle: async (each) => seen.add(each) });
  await start(events);
  await events.tell(event(1));
  const failure = database.db.transaction().execute(async (tx) => {
    await events.emit(tx, event(2));
    throw new Error("changed its mind");
  });
  await expect(failure).rejects.toThrow("changed its mind");
  await events.tell(event(3));
  await seen.full;
  expect(seen.items.map((each) => each.data["index"])).toEqual([1, 3]);
  expect(seen.items.map((each) => each.seq)).toEqual([1, 2]);
});

test("each channel counts for itself, and the position counts over all", async () => {
  const events = createTestEvents(database);
  const seen = createCollector<Event>(4);
  events.subscribe({ name: "reader", handle: async (each) => seen.add(each) });
  await start(events);
  for (const type of ["flags.revised", "changes.requested", "flags.revised", "changes.paused"]) {
    await events.tell({ type, subject: "x", data: {} });
  }
  await seen.full;
  expect(seen.items.map((each) => [each.channel, each.seq, each.position])).toEqual([
    ["flags", 1, 1],
    ["changes", 1, 2],
    ["flags", 2, 3],
    ["changes", 2, 4],
  ]);
});

test("a consumer gets what it asked for and passes over the rest", async () => {
  const events = createTestEvents(database);
  const byType = createCollector<Event>(1);
  const byChannel = createCollector<Event>(2);
  events.subscribe({ name: "type", types: ["changes.paused"], handle: async (each) => byType.add(each) });
  events.subscribe({ name: "channel", channels: ["flags"], handle: async (each) => byChannel.add(each) });
  await start(events);
  for (const type of ["flags.revised", "changes.requested", "flags.revised", "changes.paused"]) {
    await events.tell({ type, subject: "x", data: {} });
  }
  await Promise.all([byType.full, byChannel.full]);
  expect(byType.items.map((each) => each.position)).toEqual([4]);
  expect(byChannel.items.map((each) => each.position)).toEqual([1, 3]);
});

test("a consumer goes on where its server stopped", async () => {
  const first = createTestEvents(database);
  const before = createCollector<Event>(2);
  first.subscribe({ name: "reader", handle: async (each) => before.add(each) });
  await first.start();
  await first.tell(event(1));
  await first.tell(event(2));
  await before.full;
  await first.stop();
  await first.tell(event(3));

  const second = createTestEvents(database);
  const after = createCollector<Event>(2);
  second.subscribe({ name: "reader", handle: async (each) => after.add(each) });
  await start(second);
  await second.tell(event(4));
  await after.full;
  expect(after.items.map((each) => each.data["index"])).toEqual([3, 4]);
});

test("a new consumer begins with what happens after it was first seen", async () => {
  const first = createTestEvents(database);
  const seen = createCollector<Event>(1);
  first.subscribe({ name: "old", handle: async (each) => seen.add(each) });
  await first.start();
  await first.tell(event(1));
  await seen.full;
  await first.stop();

  const second = createTestEvents(database);
  const fresh = createCollector<Event>(1);
  second.subscribe({ name: "new", handle: async (each) => fresh.add(each) });
  await start(second);
  await second.tell(event(2));
  await fresh.full;
  expect(fresh.items.map((each) => each.data["index"])).toEqual([2]);
});

test("an event that could not be handled is tried again before the next one", async () => {
  const events = createTestEvents(database);
  const tried = createCollector<unknown>(3);
  events.subscribe({
    name: "reader",
    async handle(each) {
      tried.add(each.data["index"]);
      if (tried.items.length === 1) throw new Error("not yet");
    },
  });
  await start(events);
  await events.tell(event(1));
  await events.tell(event(2));
  await tried.full;
  expect(tried.items).toEqual([1, 1, 2]);
});

test("an event that fails in every attempt is set aside, counted, and can be tried again", async () => {
  const events = createTestEvents(database);
  const handled = createCollector<unknown>(1);
  const cured = createCollector<unknown>(2);
  let isIll = true;
  events.subscribe({
    name: "reader",
    attempts: 2,
    async handle(each) {
      if (each.data["index"] === 1 && isIll) throw new Error("poison");
      handled.add(each.data["index"]);
      cured.add(each.data["index"]);
    },
  });
  await start(events);
  await events.tell(event(1));
  await events.tell(event(2));
  await handled.full;
  expect(handled.items).toEqual([2]);
  const [parked, ...others] = await events.parked();
  expect(others).toEqual([]);
  expect(parked).toMatchObject({
    consumer: "reader",
    attempts: 2,
    error: "Error: poison",
    event: { data: { index: 1 } },
  });
  expect(await events.metrics()).toContain(
    'mainstay_events_handled_total{consumer="reader",outcome="parked"} 1',
  );

  isIll = false;
  expect(await events.retryParked("reader")).toBe(1);
  await cured.full;
  expect(cured.items).toEqual([2, 1]);
  await events.stop();
  expect(await events.parked()).toEqual([]);
});

test("an event that killed the server in each of its attempts is set aside without another one", async () => {
  const first = createTestEvents(database);
  first.subscribe({ name: "reader", attempts: 3, handle: async () => {} });
  await first.start();
  await first.stop();
  await first.tell(event(1));
  // What three servers leave behind that died while they handled the event.
  await database.pool.query("update events.cursors set attempts = 3 where consumer = 'reader'");

  const second = createTestEvents(database);
  const seen = createCollector<unknown>(1);
  second.subscribe({ name: "reader", attempts: 3, handle: async (each) => seen.add(each.data["index"]) });
  await start(second);
  await second.tell(event(2));
  await seen.full;
  expect(seen.items).toEqual([2]);
  expect(await second.parked()).toMatchObject([{ error: "Error: no attempt came to an end" }]);
});

test("a server takes over when the one that leads stops", async () => {
  const first = createTestEvents(database);
  const byFirst = createCollector<unknown>(1);
  first.subscribe({ name: "reader", handle: async (each) => byFirst.add(each.data["index"]) });
  await first.start();
  await first.tell(event(1));
  await byFirst.full;

  const second = createTestEvents(database);
  const bySecond = createCollector<unknown>(1);
  second.subscribe({ name: "reader", handle: async (each) => bySecond.add(each.data["index"]) });
  await start(second);
  await first.stop();
  await second.tell(event(2));
  await bySecond.full;
  expect([byFirst.items, bySecond.items]).toEqual([[1], [2]]);
});

test("events are delivered although the connections of the events were cut again and again", async () => {
  const events = createTestEvents(database);
  const seen = createCollector<unknown>(20);
  events.subscribe({ name: "reader", handle: async (each) => seen.add(each.data["index"]) });
  await start(events);
  for (const index of numbers(20)) {
    await events.tell(event(index));
    if (index % 5 === 0) await cutConnections();
  }
  await seen.full;
  expect(seen.items).toEqual(numbers(20));
});

/** What a failover or an administrator does to the sequencer and the listener of this database. */
async function cutConnections(): Promise<void> {
  await database.pool.query(`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name in ('mainstay events', 'mainstay listener')`);
}
