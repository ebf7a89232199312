import type pg from "pg";

/** A statement that ran so often is planned once for each connection from then on. */
const OFTEN = 16;
const PLANNED_MAX = 64;
const COUNTED_MAX = 1_024;
/**
 * Alters rows and answers none of a table, so its plan outlives what migrations do to columns:
 * PostgreSQL refuses a plan whose result has other columns than before.
 */
const PLANNABLE = /^\s*(?:insert|update|delete|with)\b(?![^]*(?:\breturning\b|\*))/i;

/** The name under which a statement is planned; null: it is planned each time. */
export type NameStatement = (text: string) => string | null;

/** Names for statements that run often; a server has few of them, and each costs memory on a connection. */
export function createStatementNames(): NameStatement {
  const counts = new Map<string, number>();
  const names = new Map<string, string>();
  return (text) => {
    const name = names.get(text);
    if (name !== undefined) return name;
    if (names.size >= PLANNED_MAX) return null;
    const count = (counts.get(text) ?? 0) + 1;
    if (counts.size >= COUNTED_MAX) counts.clear();
    counts.set(text, count);
    // Another count begins for what cannot be planned: it is looked at again, once in a while.
    if (count % OFTEN !== 0 || !PLANNABLE.test(text)) return null;
    names.set(text, `often_${names.size}`);
    return null;
  };
}

/**
 * A connection for Kysely that says less: `begin` waits for the first statement and goes out with it, in one
 * packet, and statements that run often are planned once. The client must be in pipeline mode.
 */
export function createLeanClient(client: pg.PoolClient, nameOf: NameStatement): pg.PoolClient {
  let isBegun = false;

  function send(text: string, values: readonly unknown[]): Promise<pg.QueryResult> {
    const name = values.length > 0 ? nameOf(text) : null;
    return client.query({ text, values: [...values], ...(name === null ? {} : { name }) });
  }

  async function query(text: string, values: readonly unknown[] = []) {
    if (text === "begin") {
      isBegun = true;
      return { command: "BEGIN", rowCount: null, rows: [] };
    }
    if (!isBegun) return send(text, values);
    isBegun = false;
    const { stream } = client.connection;
    stream.cork();
    // What kept it from beginning keeps the statement behind it from running, which tells of it.
    client.query("begin").catch(() => {});
    const sent = send(text, values);
    stream.uncork();
    return sent;
  }

  const lean: pg.PoolClient = Object.create(client);
  return Object.assign(lean, { query });
}
