import { randomBytes } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";

export interface TestDatabase {
  /** For `openDatabase({ url })`. */
  url: string;
  name: string;
  /** Cuts off whoever is still connected, and drops the database. */
  close(): Promise<void>;
}

/** A database of its own for a test file: a clone of the template with the tables of every room. */
export async function createTestDatabase({ isEmpty = false } = {}): Promise<TestDatabase> {
  const { host, user, template } = inject("postgres");
  const name = `test_${randomBytes(6).toString("hex")}`;
  const source = isEmpty ? "template0" : template;
  await administer((client) => client.query(`create database ${name} template ${source} strategy file_copy`));
  return {
    url: `postgres://${user}@${encodeURIComponent(host)}/${name}`,
    name,
    close: () => administer((client) => client.query(`drop database ${name} with (force)`)),
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
