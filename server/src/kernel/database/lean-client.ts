import type pg from "pg";

/** A statement that ran so often is planned once for each connection from then on. */
const OFTEN = 16;
const PLANNED_MAX = 64;
const COUNTED_MAX = 1_024;
/**
 * Alters rows and answers none of a table, so its plan outlives what migrations do to columns:
 * PostgreSQL refuses a plan whose result has other columns than before.
 */
const PLANNABLE = /^\s*(?:\/\*[^*]*\*\/\s*)?(?:insert|update|delete|with)\b(?![^]*(?:\breturning\b|\*))/i;

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
 * Begins a statement that answers nothing anybody waits for: it goes out in one packet with the next statement of
 * its transaction, at the latest with the commit, which fails in its place if it fails.
 */
export const WITH_NEXT = "/* with the next */ ";

interface Statement {
  text: string;
  values: readonly unknown[];
}

/**
 * A connection for Kysely that says less: `begin` and what is marked WITH_NEXT wait for the next statement and go
 * out with it, and statements that run often are planned once. The client must be in pipeline mode.
 */
export function createLeanClient(client: pg.PoolClient, nameOf: NameStatement): pg.PoolClient {
  let isInTransaction = false;
  let waiting: Statement[] = [];

  function send({ text, values }: Statement): Promise<pg.QueryResult> {
    if (values.length === 0) return client.query(text);
    const name = nameOf(text);
    return client.query({ text, values: [...values], ...(name === null ? {} : { name }) });
  }

  /** What waited, and the statement behind it. What fails keeps all behind it from running, and is told. */
  async function sendAll(ahead: readonly Statement[], last: Statement): Promise<pg.QueryResult> {
    const { stream } = client.connection;
    stream.cork();
    const sent = [...ahead.map(send), send(last)];
    stream.uncork();
    const results = await Promise.all(sent);
    return results.at(-1) ?? NOTHING;
  }

  async function query(text: string, values: readonly unknown[] = []): Promise<pg.QueryResult> {
    const statement = { text, values };
    if (text === "begin") isInTransaction = true;
    if (text === "begin" || (isInTransaction && text.startsWith(WITH_NEXT))) {
      waiting.push(statement);
      return NOTHING;
    }
    const ahead = waiting;
    waiting = [];
    if (text === "commit" || text === "rollback") isInTransaction = false;
    // Of what waited nothing is to last; where `begin` is among it, nothing was sent at all.
    if (text === "rollback") return ahead[0]?.text === "begin" ? NOTHING : send(statement);
    return ahead.length === 0 ? send(statement) : sendAll(ahead, statement);
  }

  const lean: pg.PoolClient = Object.create(client);
  return Object.assign(lean, { query });
}

const NOTHING: pg.QueryResult = { command: "", rowCount: null, oid: 0, rows: [], fields: [] };
