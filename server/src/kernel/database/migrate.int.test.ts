import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestDatabase } from "../../../../tests/support/database.ts";
import { createRecordingLog } from "../../../../tests/support/log.ts";
import { createTemporaryDirectory } from "../../../../tests/support/temporary.ts";
import { migrate, type DatabaseHandle, type MigratedRoom } from "./index.ts";

let database: DatabaseHandle;
let home: ReturnType<typeof createTemporaryDirectory>;
let shop: MigratedRoom;
let blog: MigratedRoom;

beforeEach(async () => {
  database = await openTestDatabase({ isEmpty: true });
  home = createTemporaryDirectory();
  shop = { name: "shop", directory: path.join(home.path, "shop") };
  blog = { name: "blog", directory: path.join(home.path, "blog") };
  write(shop, "0001-first", "create schema shop; create table shop.items (id int)");
  write(blog, "0001-first", "create schema blog; create table blog.posts (id int)");
});

afterEach(async () => {
  await database.close();
  home.remove();
});

function write(room: MigratedRoom, name: string, text: string): void {
  mkdirSync(room.directory, { recursive: true });
  writeFileSync(path.join(room.directory, `${name}.sql`), text);
}

async function run(rooms: MigratedRoom[] = [shop, blog]): Promise<string[]> {
  const log = createRecordingLog();
  await migrate({ pool: database.pool, rooms, log });
  return log.lines.map((line) => String(line.fields["migration"]));
}

const tables = async (): Promise<string[]> => {
  const { rows } = await database.pool.query<{ name: string }>(
    `select table_schema || '.' || table_name as name from information_schema.tables
     where table_schema in ('shop', 'blog') order by 1`,
  );
  return rows.map((row) => row.name);
};

test("every room's files are applied once, in order", async () => {
  expect(await run()).toEqual(["shop/0001-first", "blog/0001-first"]);
  expect(await run()).toEqual([]);
  write(shop, "0002-second", "create table shop.orders (id int)");
  expect(await run()).toEqual(["shop/0002-second"]);
  expect(await tables()).toEqual(["blog.posts", "shop.items", "shop.orders"]);
});

test("servers that start together apply each file once", async () => {
  const applied = await Promise.all(Array.from({ length: 5 }, () => run()));
  expect(applied.flat().toSorted()).toEqual(["blog/0001-first", "shop/0001-first"]);
});

test("a file that fails leaves nothing of itself, and what came before it stays", async () => {
  write(shop, "0002-second", "create table shop.orders (id int);\n\nselect nonsense");
  await expect(run()).rejects.toThrow(
    'the migration shop/0002-second failed in line 3: column "nonsense" does not exist',
  );
  expect(await tables()).toEqual(["shop.items"]);
  write(shop, "0002-second", "create table shop.orders (id int)");
  expect(await run()).toEqual(["shop/0002-second", "blog/0001-first"]);
});

test("a database that a newer version migrated is refused", async () => {
  write(shop, "0002-second", "create table shop.orders (id int)");
  await run();
  rmSync(path.join(shop.directory, "0002-second.sql"));
  await expect(run()).rejects.toMatchObject({
    code: "DATABASE_NEWER",
    params: { migration: "shop/0002-second" },
  });
});

test("only the version that served before a migration may come back, unless it breaks it", async () => {
  const serve = (version: string) =>
    migrate({ pool: database.pool, rooms: [shop, blog], log: createRecordingLog(), version });
  await serve("1.0.0");
  await serve("1.1.0");
  write(shop, "0002-second", "create table shop.orders (id int)");
  await serve("1.2.0");
  rmSync(path.join(shop.directory, "0002-second.sql"));
  await expect(serve("1.0.0")).rejects.toMatchObject({ code: "DATABASE_NEWER" });
  await serve("1.1.0");
  write(shop, "0002-second", "create table shop.orders (id int)");
  write(shop, "0003-third", "-- breaks the version before\nalter table shop.items add place text");
  await serve("1.2.0");
  rmSync(path.join(shop.directory, "0003-third.sql"));
  await expect(serve("1.1.0")).rejects.toMatchObject({ params: { migration: "shop/0003-third" } });
});

test("a database with a room that this version does not know is refused", async () => {
  await run();
  await expect(run([shop])).rejects.toMatchObject({
    code: "DATABASE_NEWER",
    params: { migration: "blog/0001-first" },
  });
});

test("an applied file must stay as it was, and nothing is applied before that is checked", async () => {
  await run();
  write(blog, "0001-first", "create schema blog; create table blog.posts (id bigint)");
  write(shop, "0002-second", "create table shop.orders (id int)");
  await expect(run()).rejects.toMatchObject({
    code: "DATABASE_ALTERED",
    params: { migration: "blog/0001-first" },
  });
  expect(await tables()).toEqual(["blog.posts", "shop.items"]);
});

test.each(["0003-gap", "002-short", "0002_underscore"])("the file name %s.sql is refused", async (name) => {
  write(shop, name, "select 1");
  await expect(run()).rejects.toThrow(`${name}.sql ought to be named 0002-<name>.sql`);
});
