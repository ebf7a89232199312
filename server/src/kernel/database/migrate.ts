import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { AppError } from "@mainstay/api";
import pg from "pg";
import type { Log } from "../log.ts";

/** A room that owns tables: its name, and the folder of its `0001-name.sql` files. */
export interface MigratedRoom {
  name: string;
  directory: string;
}

interface Migration {
  room: string;
  number: number;
  /** `<room>/<file name without .sql>`, for people. */
  label: string;
  text: string;
  checksum: string;
}

interface Applied {
  room: string;
  number: number;
  name: string;
  checksum: string;
  /**
   * The version that served before it was applied: it may
   * go on with this database. Null: nobody but newer ones.
   */
  tolerated_by: string | null;
}

/** What the migration of a file begins with that the version before cannot live with. */
const BREAKING = /^-- breaks the version before\b/;

/** "migrate" in ASCII. */
const MIGRATION_LOCK = "30796665482998885";

export interface MigrateOptions {
  pool: pg.Pool;
  rooms: readonly MigratedRoom[];
  log: Log;
  /** Of this program; without one it is let in by its migrations alone. */
  version?: string | null;
}

/**
 * Brings the database to the newest state of every room, in the order given, each
 * file in its own transaction. Servers that start together do so one after the
 * other. Throws DATABASE_NEWER for a database that holds migrations this version
 * does not know, and DATABASE_ALTERED when an applied file is no longer what it was.
 */
export async function migrate({ pool, rooms, log, version = null }: MigrateOptions): Promise<void> {
  const known = (await Promise.all(rooms.map(readMigrations))).flat();
  const client = await pool.connect();
  try {
    await client.query("set statement_timeout = 0");
    await client.query(`select pg_advisory_lock(${MIGRATION_LOCK})`);
    const applied = await readApplied(client);
    refuseForeign(known, applied, version);
    const before = await readServedBefore(client);
    const pending = known.filter((each) => !applied.some((row) => isSame(each, row)));
    for (const migration of pending) {
      await apply(client, migration, before);
      log.info({ migration: migration.label }, "migration applied");
    }
    if (version !== null) await noteServing(client, version);
  } finally {
    // Closing the connection frees the lock, whatever state it is in.
    client.release(true);
  }
}

async function readMigrations({ name: room, directory }: MigratedRoom): Promise<Migration[]> {
  const files = (await readdir(directory)).filter((file) => file.endsWith(".sql")).toSorted();
  return Promise.all(
    files.map(async (file, index) => {
      const number = index + 1;
      if (!new RegExp(`^${String(number).padStart(4, "0")}-[a-z0-9-]+\\.sql$`).test(file)) {
        throw new Error(
          `${path.join(directory, file)} ought to be named ${String(number).padStart(4, "0")}-<name>.sql`,
        );
      }
      const text = await readFile(path.join(directory, file), "utf8");
      const checksum = createHash("sha256").update(text).digest("hex");
      return { room, number, label: `${room}/${path.basename(file, ".sql")}`, text, checksum };
    }),
  );
}

async function readApplied(client: pg.ClientBase): Promise<Applied[]> {
  await client.query("create schema if not exists kernel");
  await client.query(`create table if not exists kernel.migrations (
    room text not null,
    number integer not null,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null default now(),
    primary key (room, number)
  )`);
  await client.query("alter table kernel.migrations add column if not exists tolerated_by text");
  await client.query(
    "create table if not exists kernel.versions (version text primary key, served_at timestamptz not null)",
  );
  const { rows } = await client.query<Applied>(
    "select room, number, name, checksum, tolerated_by from kernel.migrations",
  );
  return rows;
}

async function readServedBefore(client: pg.ClientBase): Promise<string | null> {
  const { rows } = await client.query<{ version: string }>(
    "select version from kernel.versions order by served_at desc limit 1",
  );
  return rows[0]?.version ?? null;
}

async function noteServing(client: pg.ClientBase, version: string): Promise<void> {
  await client.query(
    `insert into kernel.versions (version, served_at) values ($1, clock_timestamp())
     on conflict (version) do update set served_at = excluded.served_at`,
    [version],
  );
}

function refuseForeign(known: Migration[], applied: Applied[], version: string | null): void {
  for (const row of applied) {
    const match = known.find((each) => isSame(each, row));
    if (!match && version !== null && row.tolerated_by === version) continue;
    if (!match) throw new AppError("DATABASE_NEWER", { migration: row.name });
    if (match.checksum !== row.checksum) throw new AppError("DATABASE_ALTERED", { migration: row.name });
  }
}

function isSame(migration: Migration, row: Applied): boolean {
  return migration.room === row.room && migration.number === row.number;
}

async function apply(
  client: pg.ClientBase,
  { room, number, label, text, checksum }: Migration,
  before: string | null,
): Promise<void> {
  try {
    await client.query("begin");
    await client.query(text);
    await client.query(
      `insert into kernel.migrations (room, number, name, checksum, tolerated_by)
       values ($1, $2, $3, $4, $5)`,
      [room, number, label, checksum, BREAKING.test(text) ? null : before],
    );
    await client.query("commit");
  } catch (error) {
    await client.query("rollback").catch(() => {});
    throw new Error(`the migration ${label} failed${whereAndWhy(error, text)}`, { cause: error });
  }
}

function whereAndWhy(error: unknown, text: string): string {
  if (!(error instanceof pg.DatabaseError)) return "";
  const line = text.slice(0, Number(error.position ?? 0)).split("\n").length;
  return error.position === undefined ? `: ${error.message}` : ` in line ${line}: ${error.message}`;
}
