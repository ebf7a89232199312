import type pg from "pg";
import type { Ahead, SendPacket } from "./packet.ts";

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
 * Begins a statement that answers no rows, and nothing anybody waits for: it goes out in one packet with the
 * next statement of its transaction, at the latest with the commit, which fails in its place if it fails.
 */
export const WITH_NEXT = "/* with the next */ ";

/**
 * A connection for Kysely that says less: `begin` and what is marked WITH_NEXT
 * wait for the next statement and go out with it in one packet, and statements
 * that run often are planned once. The client must be in pipeline mode.
 */
export function createLeanClient(client: pg.PoolClient, { nameOf, sendPacket }: LeanParts): pg.PoolClient {
  let isInTransaction = false;
  let waiting: Ahead[] = [];

  async function query(text: string, values: readonly unknown[] = []): Promise<pg.QueryResult> {
    if (text === "begin") isInTransaction = true;
    if (text === "begin" || (isInTransaction && text.startsWith(WITH_NEXT))) {
      waiting.push({ text, values });
      return NOTHING;
    }
    const ahead = waiting;
    waiting = [];
    if (text === "commit" || text === "rollback") isInTransaction = false;
    // Of what waited nothing is to last; where `begin` is among it, nothing was sent at all.
    if (text === "rollback") return ahead[0]?.text === "begin" ? NOTHING : client.query(text);
    const name = text === "commit" ? text : values.length > 0 ? nameOf(text) : null;
    if (ahead.length > 0) return sendPacket(client, ahead, { text, values, name });
    return client.query({ text, values: [...values], ...(name === null ? {} : { name }) });
  }

  const lean: pg.PoolClient = Object.create(client);
  return Object.assign(lean, { query });
}

/** Shared by the connections of a pool. */
export interface LeanParts {
  nameOf: NameStatement;
  sendPacket: SendPacket;
}

const NOTHING: pg.QueryResult = { command: "", rowCount: null, oid: 0, rows: [], fields: [] };
