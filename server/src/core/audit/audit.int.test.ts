import { afterAll, beforeAll, expect, test } from "vitest";
import { randomBytes } from "node:crypto";
import { createTestDatabase, type TestDatabase } from "../../../../tests/support/database.ts";
import { createSystemClock } from "../../kernel/clock.ts";
import { openDatabase, type DatabaseHandle } from "../../kernel/database/index.ts";
import { createEvents } from "../../kernel/events/index.ts";
import { createIds } from "../../kernel/ids.ts";
import { createAudit, auditStream } from "./index.ts";

const clock = createSystemClock();
const ids = createIds({ clock, random: randomBytes });
const log = { debug() {}, info() {}, warn: console.log, error: console.log, child: () => log };
let test_: TestDatabase;
let database: DatabaseHandle;
beforeAll(async () => {
  test_ = await createTestDatabase();
  database = await openDatabase({ url: test_.url, dataDirectory: "", runtimeDirectory: "", log, clock });
});
afterAll(async () => {
  await database.close();
  await test_.close();
});
test("smoke", async () => {
  const audit = createAudit({ db: database.db, clock, ids });
  const events = createEvents({ database, clock, ids, log, source: "mainstay", streams: [auditStream] });
  const seen: number[] = [];
  const done = Promise.withResolvers<void>();
  events.subscribe({ name: "t", handle: async (e) => { seen.push(e.seq); if (seen.length === 20) done.resolve(); } });
  await events.start();
  for (let i = 0; i < 20; i++) {
    await database.db.transaction().execute(async (tx) => {
      await audit.record(tx, { actor: { type: "user", id: "u", name: "U" }, action: "a.b", resource: { type: "x", id: "1" }, after: { password: "x", n: 1 } });
      await events.emit(tx, { type: "a.b", subject: "s", data: { i } });
    });
  }
  await done.promise;
  await events.stop();
  expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  console.log((await audit.list({ limit: 2 })));
});
