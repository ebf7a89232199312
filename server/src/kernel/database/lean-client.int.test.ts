import { CompiledQuery, sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTestDatabase } from "../../../../tests/support/database.ts";
import { WITH_NEXT, type DatabaseHandle, type Tx } from "./index.ts";
import { createStatementNames } from "./lean-client.ts";

const OFTEN = 16;

describe("a lean client", () => {
  let database: DatabaseHandle;

  beforeEach(async () => {
    database = await openTestDatabase({ isEmpty: true });
    // One connection: whatever a transaction left behind, the next one would meet.
    database.pool.options.max = 1;
    await database.pool.query("create table shelf (id integer primary key, colour text)");
  });

  afterEach(() => database.close());

  const add = (id: number) => sql`insert into shelf (id) values (${id})`;
  const ids = async () =>
    (await database.pool.query<{ id: number }>("select id from shelf order by id")).rows.map(({ id }) => id);
  const planned = async () =>
    (await database.pool.query<{ statement: string }>("select statement from pg_prepared_statements")).rows;

  test("begins with the first statement, and takes back all of it when a later one fails", async () => {
    const failure = database.db.transaction().execute(async (tx) => {
      await add(1).execute(tx);
      await add(1).execute(tx);
    });
    await expect(failure).rejects.toMatchObject({ code: "23505" });
    expect(await ids()).toEqual([]);
    await database.db.transaction().execute((tx) => add(2).execute(tx));
    expect(await ids()).toEqual([2]);
  });

  test("leaves nothing open when the first statement fails or there is none", async () => {
    const failing = database.db.transaction().execute((tx) => sql`select nonsense`.execute(tx));
    await expect(failing).rejects.toMatchObject({ code: "42703" });
    const thrown = database.db.transaction().execute(async () => {
      throw new Error("before the first statement");
    });
    await expect(thrown).rejects.toThrow("before the first statement");
    await database.db.transaction().execute(async () => {});
    await add(1).execute(database.db);
    expect(await ids()).toEqual([1]);
  });

  test("fails the first statement of a transaction whose connection is lost", async () => {
    const { rows } = await database.pool.query<{ pid: number }>("select pg_backend_pid() as pid");
    const lost = database.db.transaction().execute(async (tx) => {
      await sql`select pg_terminate_backend(${rows[0]?.pid})`.execute(tx);
      await add(1).execute(tx);
    });
    await expect(lost).rejects.toThrow();
    expect(await ids()).toEqual([]);
  });

  test("sends what waits with the next statement, in order, and at the latest with the commit", async () => {
    const addWithNext = (id: number) =>
      CompiledQuery.raw(`${WITH_NEXT}insert into shelf (id) values ($1)`, [String(id)]);
    for (const first of [1, 10]) {
      await database.db.transaction().execute(async (tx) => {
        await tx.executeQuery(addWithNext(first));
        await tx.executeQuery(addWithNext(first + 1));
        expect((await sql<{ id: number }>`select id from shelf`.execute(tx)).rows).toContainEqual({
          id: first,
        });
        await tx.executeQuery(addWithNext(first + 2));
      });
    }
    expect(await ids()).toEqual([1, 2, 3, 10, 11, 12]);
    const thrown = database.db.transaction().execute(async (tx) => {
      await tx.executeQuery(addWithNext(20));
      throw new Error("changed its mind");
    });
    await expect(thrown).rejects.toThrow("changed its mind");
    await database.db.executeQuery(addWithNext(30));
    expect(await ids()).toEqual([1, 2, 3, 10, 11, 12, 30]);
  });

  test("fails the commit, or what else it went out with, when what waited fails", async () => {
    const bad = CompiledQuery.raw(`${WITH_NEXT}insert into shelf (id) values ($1)`, [null]);
    const nexts: ((tx: Tx) => Promise<unknown>)[] = [
      async () => {},
      (tx) => add(2).execute(tx),
      (tx) => sql`select 1`.execute(tx),
    ];
    for (const next of nexts) {
      const failing = database.db.transaction().execute(async (tx) => {
        await add(1).execute(tx);
        await tx.executeQuery(bad);
        await next(tx);
      });
      await expect(failing).rejects.toMatchObject({ code: "23502" });
      expect(await ids()).toEqual([]);
    }
    const unknown = CompiledQuery.raw(`${WITH_NEXT}insert into nowhere values ($1)`, ["1"]);
    for (const _ of [1, 2]) {
      const failing = database.db.transaction().execute((tx) => tx.executeQuery(unknown));
      await expect(failing).rejects.toMatchObject({ code: "42P01" });
    }
    await add(3).execute(database.db);
    expect(await ids()).toEqual([3]);
  });

  test("plans a frequent statement once, and goes on with it when its table gets a column", async () => {
    for (let id = 0; id <= OFTEN; id += 1) await add(id).execute(database.db);
    expect(await planned()).toEqual([{ statement: "insert into shelf (id) values ($1)" }]);
    await database.pool.query("alter table shelf add column height integer not null default 1");
    await add(100).execute(database.db);
    expect(await ids()).toHaveLength(OFTEN + 2);
  });

  test("never plans ahead what answers rows of a table", async () => {
    const nameOf = createStatementNames();
    const texts = [
      "select * from shelf where id = $1",
      "insert into shelf (id) values ($1) returning id",
      "with gone as (delete from shelf where id = $1 returning *) select * from gone",
    ];
    for (const text of texts) {
      for (let count = 0; count <= OFTEN * 2; count += 1) expect(nameOf(text)).toBe(null);
    }
  });

  test("plans no more than 64 statements", () => {
    const nameOf = createStatementNames();
    const texts = Array.from({ length: 70 }, (_, nth) => `update shelf set colour = $1 where id = ${nth}`);
    for (let count = 0; count < OFTEN; count += 1) for (const text of texts) nameOf(text);
    expect(texts.filter((text) => nameOf(text) !== null)).toHaveLength(64);
  });
});
