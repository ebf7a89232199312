import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openTestDatabase } from "../../../../tests/support/database.ts";
import { createTestEvents } from "../../../../tests/support/events.ts";
import { waitUntil } from "../../../../tests/support/wait-until.ts";
import { createSystemClock, createVirtualClock } from "../../kernel/clock.ts";
import type { DatabaseHandle } from "../../kernel/database/index.ts";
import { createIds } from "../../kernel/ids.ts";
import { auditStream, createAudit, type Audit, type NewAuditEntry } from "./index.ts";

const clock = createVirtualClock(Date.parse("2026-11-21T10:00:00Z"));
const ids = createIds({ clock, random: randomBytes });

let database: DatabaseHandle;
let audit: Audit;

beforeAll(async () => {
  database = await openTestDatabase();
  audit = createAudit({ db: database.db, clock, ids });
});

afterAll(() => database.close());

beforeEach(async () => {
  // Only a superuser who switches triggers off can empty the table; the tests are one.
  await database.pool.query(
    "set session_replication_role = replica; truncate audit.entries, audit.incoming, audit.personal; set session_replication_role = origin",
  );
});

const entry = (more: Partial<NewAuditEntry> = {}): NewAuditEntry => ({
  actor: { type: "key", id: "mk_1", name: "admin" },
  action: "changes.requested",
  resource: { type: "change", id: "chg_1" },
  ...more,
});

async function record(...entries: NewAuditEntry[]): Promise<void> {
  for (const each of entries) await database.db.transaction().execute((tx) => audit.record(tx, each));
}

test("an entry says who did what, and comes back as it was written", async () => {
  const whole: NewAuditEntry = {
    actor: { type: "user", id: "usr_1", name: "Ada" },
    onBehalfOf: { type: "user", id: "usr_2", name: "Grace" },
    action: "changes.undone",
    resource: { type: "change", id: "chg_7" },
    environment: "production",
    service: "shop",
    change: "chg_7",
    before: { weight: 1000 },
    after: { weight: 0 },
    reason: "errors",
    requestId: "req_1",
    address: "192.0.2.7",
    stepUp: { method: "totp", at: "2026-11-21T09:59:00.000Z" },
  };
  await record(whole);
  const { entries } = await audit.list();
  const id = expect.stringMatching(/^aud_[0-9a-f]{32}$/);
  expect(entries).toEqual([{ ...whole, id, index: null, at: "2026-11-21T10:00:00.000Z" }]);
});

test("an entry of a transaction that was rolled back does not exist", async () => {
  const failure = database.db.transaction().execute(async (tx) => {
    await audit.record(tx, entry());
    throw new Error("no");
  });
  await expect(failure).rejects.toThrow("no");
  expect((await audit.list()).entries).toEqual([]);
});

test("secrets do not reach the table, whoever wrote them", async () => {
  await record(
    entry({ before: { env: { SECRET_TOKEN: "s3cret" } }, after: { password: "hunter2", weight: 1 } }),
  );
  const { rows } = await database.pool.query<{ text: string }>(
    "select incoming::text as text from audit.incoming",
  );
  expect(rows[0]?.text).not.toMatch(/s3cret|hunter2/);
  expect((await audit.list()).entries[0]).toMatchObject({ after: { password: "***", weight: 1 } });
});

test("a description that is too large is left out, and its size is said", async () => {
  await record(entry({ after: { text: "x".repeat(300 * 1024) } }));
  const [written] = (await audit.list()).entries;
  expect(written?.after).toEqual({ omitted: "307211 bytes", limit: "262144 bytes" });
});

describe("the list", () => {
  test("is newest first, page by page to the end", async () => {
    await record(...["a", "b", "c", "d", "e"].map((id) => entry({ resource: { type: "change", id } })));
    const pages: string[][] = [];
    for (let cursor: string | null = null, isFirst = true; isFirst || cursor !== null; isFirst = false) {
      const page = await audit.list({ cursor, limit: 2 });
      pages.push(page.entries.map((each) => each.resource.id));
      cursor = page.cursor;
    }
    expect(pages).toEqual([["e", "d"], ["c", "b"], ["a"]]);
  });

  test.each([
    ["actor", { actor: "usr_9" }],
    ["action", { action: "secrets.rotated" }],
    ["type of resource", { resourceType: "secret" }],
    ["resource", { resource: "sec_9" }],
    ["service", { service: "shop" }],
    ["environment", { environment: "staging" }],
    ["change", { change: "chg_9" }],
  ])("can be narrowed down to one %s", async (_, filter) => {
    const other = entry();
    const wanted: NewAuditEntry = {
      actor: { type: "user", id: "usr_9", name: "Ada" },
      action: "secrets.rotated",
      resource: { type: "secret", id: "sec_9" },
      service: "shop",
      environment: "staging",
      change: "chg_9",
    };
    await record(other, wanted, other);
    expect((await audit.list({ filter })).entries).toEqual([expect.objectContaining(wanted)]);
  });

  test("can be narrowed down to a span of time, its end left out", async () => {
    for (const id of ["a", "b", "c"]) {
      await record(entry({ resource: { type: "change", id } }));
      await clock.advance(1000);
    }
    const [c, b] = (await audit.list()).entries;
    const { entries } = await audit.list({ filter: { from: b?.at, to: c?.at } });
    expect(entries.map((each) => each.resource.id)).toEqual(["b"]);
  });
});

describe("the tables", () => {
  test.each([
    ["deleted", "delete from audit.incoming"],
    ["truncated", "truncate audit.incoming"],
    ["altered", "update audit.incoming set actor_name = 'somebody else'"],
    ["given other personal data", `update audit.incoming set disclosed = '{"/address": {"value": "x"}}'`],
  ])("refuse that an entry which just came in is %s", async (_, statement) => {
    await record(entry());
    await refuses(statement);
  });

  test.each([
    ["deleted", "delete from audit.entries"],
    ["truncated", "truncate audit.entries"],
    ["altered", "update audit.entries set actor_name = 'somebody else'"],
    ["given another index", "update audit.entries set index = 7"],
    ["given other personal data", "update audit.personal set disclosed = disclosed || '{\"/x\": 1}'"],
    ["given the personal data of another", "update audit.personal set entry = 'aud_1'"],
  ])("refuse that an entry with an index is %s", async (_, statement) => {
    const events = createTestEvents(database, { clock: createSystemClock(), streams: [auditStream] });
    await events.start();
    await Promise.all([record(entry({ address: "192.0.2.7" })), numbered(1)]);
    await events.stop();
    await refuses(statement);
  });

  async function refuses(statement: string): Promise<void> {
    const before = (await audit.list()).entries;
    await expect(database.pool.query(statement)).rejects.toThrow("the audit is append-only");
    expect((await audit.list()).entries).toEqual(before);
  }

  test("numbers entries from 1 without a gap, whoever commits first", async () => {
    const events = createTestEvents(database, { clock: createSystemClock(), streams: [auditStream] });
    await events.start();
    const writers = Array.from({ length: 20 }, async (_, index) => {
      await record(entry({ resource: { type: "change", id: `chg_${index}` } }));
      const failure = database.db.transaction().execute(async (tx) => {
        await audit.record(tx, entry());
        throw new Error("rolled back");
      });
      await expect(failure).rejects.toThrow("rolled back");
    });
    await Promise.all([...writers, numbered(20)]);
    await events.stop();
    const { entries } = await audit.list();
    const indexes = entries.map((each) => each.index ?? 0).toSorted((a, b) => a - b);
    const first = indexes[0] ?? 0;
    expect(indexes).toEqual(Array.from({ length: 20 }, (_, index) => first + index));
  });
});

test("personal data of an entry that has no index yet is erased too, and nobody else's", async () => {
  const onBehalfOf = { type: "user", id: "usr_2", name: "Grace" };
  await record(
    entry({ actor: { type: "user", id: "usr_1", name: "Ada" }, onBehalfOf, address: "192.0.2.7" }),
  );
  const origin = { actor: { type: "key", id: "mk_1", name: "admin" } };
  const found = await audit.erase({ person: "usr_1", reason: null, isDryRun: false }, origin);
  expect(found).toEqual({ values: 2, entries: 1 });
  const { entries } = await audit.list({ filter: { actor: "usr_1" } });
  expect(entries[0]).toMatchObject({ actor: { name: "erased" }, address: "erased", onBehalfOf });
  expect((await audit.erase({ person: "Grace", reason: null, isDryRun: false }, origin)).values).toBe(1);
});

test("no entry is lost, doubled or left out although the sequencer is killed again and again", async () => {
  const events = createTestEvents(database, { clock: createSystemClock(), streams: [auditStream] });
  await events.start();
  let isWriting = true;
  const kill = async (): Promise<void> => {
    while (isWriting)
      await database.pool.query(`select pg_terminate_backend(pid), pg_sleep(0.05) from pg_stat_activity
        where datname = current_database() and application_name = 'mainstay events'`);
  };
  const killing = kill();
  const address = "192.0.2.7";
  const write = async (writer: number): Promise<void> => {
    for (let nth = 0; nth < 60; nth += 1)
      await record(entry({ address, resource: { type: "row", id: `${writer}/${nth}` } }));
  };
  await Promise.all(Array.from({ length: 6 }, (_, writer) => write(writer)));
  isWriting = false;
  await killing;
  await waitUntil("the last of them", async () => (await rowsIn("audit.incoming")) === 0);
  await events.stop();
  const { rows } = await database.pool.query<{ index: number; id: string }>(
    "select index, resource_id as id from audit.entries order by index",
  );
  const first = rows[0]?.index ?? 0;
  expect(rows.map(({ index }) => index)).toEqual(rows.map((_, nth) => first + nth));
  expect(new Set(rows.map(({ id }) => id)).size).toBe(360);
  expect(await rowsIn("audit.personal")).toBe(360);
  // What one writer wrote stands in its order.
  const ofFirst = rows.filter(({ id }) => id.startsWith("0/")).map(({ id }) => Number(id.slice(2)));
  expect(ofFirst).toEqual(ofFirst.toSorted((a, b) => a - b));
});

async function rowsIn(table: string): Promise<number> {
  const { rows } = await database.pool.query<{ count: number }>(`select count(*) as count from ${table}`);
  return rows[0]?.count ?? 0;
}

test("the room that moved entries leave behind is used by those that come", async () => {
  const events = createTestEvents(database, { clock: createSystemClock(), streams: [auditStream] });
  await events.start();
  const look = async (column: string): Promise<number> => {
    const { rows } = await database.pool.query<{ found: string }>(
      `select ${column} as found from pg_stat_user_tables where relname = 'incoming'`,
    );
    return Number(rows[0]?.found);
  };
  const sizes: number[] = [];
  for (const round of [1, 2]) {
    const swept = (await look("vacuum_count")) + 1;
    await database.pool.query(`insert into audit.incoming
        (id, at, actor_type, actor_id, action, resource_type, resource_id, salt)
      select 'aud_${round}_' || nth, now(), 'key', 'mk_1', 'changes.requested', 'change', repeat('x', 100), ''
      from generate_series(1, 10000) as nth`);
    await waitUntil("the sweep", async () => (await look("vacuum_count")) >= swept, {
      deadlineMs: 60_000,
    });
    sizes.push(await look("pg_relation_size(relid)"));
  }
  await events.stop();
  expect(sizes[1]).toBeLessThan((sizes[0] ?? 0) * 1.5);
}, 120_000);

/** Resolves once so many entries have an index. */
async function numbered(count: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = async (): Promise<void> => {
    const { rowCount } = await database.pool.query("select from audit.entries");
    if (rowCount === count) resolve();
  };
  const end = await database.listen("events_numbered", () => void look());
  await promise;
  await end();
}
