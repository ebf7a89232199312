import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestDatabase } from "../../../../tests/support/database.ts";
import { createTestEvents, type TestEvents } from "../../../../tests/support/events.ts";
import { createVirtualClock } from "../clock.ts";
import type { DatabaseHandle } from "../database/index.ts";
import type { Event, Watch } from "./index.ts";

let database: DatabaseHandle;
let events: TestEvents;

beforeEach(async () => {
  database = await openTestDatabase();
  events = createTestEvents(database);
  await events.start();
});

afterEach(async () => {
  await events.stop();
  await database.close();
});

const event = (index: number) => ({ type: "tests.counted", subject: "x", data: { index } });

/** The first events of a watch, which ends with the last of them. */
async function take(count: number, watch: Omit<Watch, "signal">): Promise<Event[]> {
  const taken: Event[] = [];
  const watching = new AbortController();
  for await (const each of events.watch({ ...watch, signal: watching.signal })) {
    taken.push(each);
    if (taken.length === count) watching.abort();
  }
  return taken;
}

test("a watcher sees what happens while it is there, and nothing older", async () => {
  await events.tell(event(1));
  await take(1, { after: 0 });
  const watching = new AbortController();
  const watcher = events.watch({ signal: watching.signal })[Symbol.asyncIterator]();
  const next = watcher.next();
  let isSeen = false;
  void next.then(() => (isSeen = true));
  for (let index = 2; !isSeen; index++) await events.tell(event(index));
  const { value } = await next;
  expect(value?.position).toBeGreaterThan(1);
  watching.abort();
  expect((await watcher.next()).done).toBe(true);
});

test("a watcher that waits ends when its signal aborts", async () => {
  const watching = new AbortController();
  const next = events.watch({ signal: watching.signal })[Symbol.asyncIterator]().next();
  watching.abort();
  expect(await next).toEqual({ done: true, value: undefined });
});

test("a watcher that comes back goes on after the last event it saw", async () => {
  for (const index of [1, 2, 3]) await events.tell(event(index));
  const [first] = await take(1, { after: 0 });
  const rest = await take(2, { after: first?.position });
  expect(rest.map((each) => each.data["index"])).toEqual([2, 3]);
});

test("a watcher sees only the channels, types and subject it asked for", async () => {
  await events.tell({ type: "flags.revised", subject: "a", data: {} });
  await events.tell({ type: "changes.paused", subject: "a", data: {} });
  await events.tell({ type: "changes.paused", subject: "b", data: {} });
  await events.tell({ type: "changes.resumed", subject: "b", data: {} });
  const [byChannel] = await take(1, { after: 0, channels: ["changes"] });
  const [bySubject] = await take(1, { after: 0, subject: "b" });
  const [byType] = await take(1, { after: 0, types: ["changes.resumed"] });
  expect([byChannel, bySubject, byType].map((each) => each?.position)).toEqual([2, 3, 4]);
});

test("a reader that is slower than the writers misses nothing", async () => {
  await database.db.transaction().execute(async (tx) => {
    for (let index = 1; index <= 450; index++) await events.emit(tx, event(index));
  });
  const seen = await take(450, { after: 0 });
  expect(seen.map((each) => each.seq)).toEqual(Array.from({ length: 450 }, (_, index) => index + 1));
});

test("pruning deletes what is old, and a watcher that asks for it is told", async () => {
  const clock = createVirtualClock(Date.parse("2026-01-01T00:00:00Z"));
  const old = createTestEvents(database, { clock });
  for (const index of [1, 2]) await old.tell(event(index));
  await events.tell(event(3));
  await take(3, { after: 0 });
  expect(await events.prune(30 * 86_400_000)).toBe(2);
  const rest = await take(1, { after: 2 });
  expect(rest.map((each) => each.data["index"])).toEqual([3]);
  await expect(take(1, { after: 1 })).rejects.toMatchObject({
    code: "EVENTS_PRUNED",
    params: { after: 1, oldest: 3 },
  });
});

test("pruning keeps what a consumer has not handled yet", async () => {
  const clock = createVirtualClock(Date.parse("2026-01-01T00:00:00Z"));
  const slow = createTestEvents(database, { clock });
  slow.subscribe({ name: "slow", handle: async () => {} });
  // Enters its cursor, and stops before it gets to lead.
  await slow.start();
  await slow.stop();
  await slow.tell(event(1));
  await take(1, { after: 0 });
  expect(await slow.prune(0)).toBe(0);
});

test("numbers go on after everything was pruned", async () => {
  const clock = createVirtualClock(Date.parse("2026-01-01T00:00:00Z"));
  const old = createTestEvents(database, { clock });
  await old.tell(event(1));
  await take(1, { after: 0 });
  await events.prune(0);
  await events.tell(event(2));
  const [next] = await take(1, { after: 1 });
  expect(next).toMatchObject({ seq: 2, position: 2 });
});
