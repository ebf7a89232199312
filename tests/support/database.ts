import { randomBytes } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import { createSystemClock } from "../../server/src/kernel/clock.ts";
import { openDatabase, type DatabaseHandle } from "../../server/src/kernel/database/index.ts";
import { silentLog } from "./log.ts";

export interface TestDatabase {
  /** For `openDatabase({ url })`. */
  url: string;
  /** Cuts off whoever is still connected, and drops the database. */
  close(): Promise<void>;
}

/**
 * A database of its own for a test file: a clone of the
 * template with the tables of every room, or an empty one.
 */
export async function createTestDatabase({ isEmpty = false } = {}): Promise<TestDatabase> {
  const { host, user, template } = inject("postgres");
  const name = `test_${randomBytes(6).toString("hex")}`;
  const source = isEmpty ? "template0" : template;
  await administer((client) => client.query(`create database ${name} template ${source} strategy file_copy`));
  return {
    url: `postgres://${user}@${encodeURIComponent(host)}/${name}`,
    close: () => administer((client) => client.query(`drop database ${name} with (force)`)),
  };
}

/** createTestDatabase, opened; `close` closes the handle and drops the database. */
export async function openTestDatabase(
  options: { isEmpty?: boolean } = {},
): Promise<DatabaseHandle & { url: string }> {
  const { url, close } = await createTestDatabase(options);
  const unused = "/nonexistent";
  const handle = await openDatabase({
    url,
    dataDirectory: unused,
    runtimeDirectory: unused,
    log: silentLog,
    clock: createSystemClock(),
  });
  return {
    ...handle,
    url,
    async close() {
      await handle.close();
      await close();
    },
  };
}

/** Runs statements outside any test database. */
async function administer(run: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const { host, user } = inject("postgres");
  const client = new pg.Client({ host, user, database: "postgres" });
  await client.connect();
  try {
    await run(client);
  } finally {
    await client.end();
  }
}
