import pg from "pg";

/** A statement that answers no rows; values are text, bytes or null. */
export interface Ahead {
  text: string;
  values: readonly unknown[];
}

interface Last {
  text: string;
  values: readonly unknown[];
  /** Under which it is planned; null: it is planned each time. */
  name: string | null;
}

/** Names of the statements that were sent ahead on a connection and are planned there. */
type Planned = WeakMap<pg.Connection, Map<string, string>>;

/** Sends several statements as one packet with one answer, that of the last. */
export type SendPacket = (
  client: pg.PoolClient,
  ahead: readonly Ahead[],
  last: Last,
) => Promise<pg.QueryResult>;

/**
 * Statements in one packet of the extended protocol, with one Sync behind all:
 * PostgreSQL answers once, and what fails keeps everything behind it from running and
 * is what the packet fails with. What goes ahead is planned once for each connection.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 */
export function createPackets(): SendPacket {
  const planned: Planned = new WeakMap();

  function nameIn(names: Map<string, string>, connection: pg.Connection, text: string): string {
    const known = names.get(text);
    if (known !== undefined) return known;
    const name = `ahead_${names.size}`;
    // It may be there from a packet that failed; to close what is not there is no error.
    connection.close({ type: "S", name }, true);
    connection.parse({ name, text, types: [] }, true);
    return name;
  }

  return (client, ahead, { text, values, name }) =>
    new Promise((resolve, reject) => {
      const names = planned.get(client.connection) ?? new Map<string, string>();
      planned.set(client.connection, names);
      const added = new Map<string, string>();
      const answered = (error: unknown, results: pg.QueryResult | pg.QueryResult[]): void => {
        if (error) return reject(error);
        for (const [known, as] of added) names.set(known, as);
        const result = Array.isArray(results) ? results.at(-1) : results;
        if (result === undefined) return reject(new Error("PostgreSQL answered nothing"));
        resolve(result);
      };
      // The simple protocol has no place between the others:
      // it would be passed over up to a Sync that never comes.
      const config = { text, queryMode: "extended", ...(name === null ? {} : { name }) };
      const query = new pg.Query(config, [...values], answered);
      const { submit } = query;
      query.submit = (connection) => {
        connection.stream.cork();
        for (const each of ahead) {
          const statement = nameIn(new Map([...names, ...added]), connection, each.text);
          if (!names.has(each.text)) added.set(each.text, statement);
          connection.bind({ statement, values: each.values.map(toParameter) }, true);
          connection.execute(null, true);
        }
        const failure = submit.call(query, connection);
        connection.stream.uncork();
        return failure;
      };
      client.query(query);
    });
}

function toParameter(value: unknown): Buffer | string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length);
  throw new TypeError("a statement that is sent ahead takes text, bytes and null");
}
