import { Kysely, PostgresDialect, type PostgresPool, type Transaction } from "kysely";
import type pg from "pg";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { startEmbeddedPostgres } from "./embedded/start.ts";
import { unreachable } from "./errors.ts";
import { createLeanClient, createStatementNames } from "./lean-client.ts";
import { createListener, type Listener } from "./listener.ts";
import { createPackets } from "./packet.ts";
import { createPool } from "./pool.ts";
import { checkServer, type Server } from "./server.ts";

/** No table has a type here: each room names its own by `withTables`. */
export type NoTables = Record<never, never>;
export type Database = Kysely<NoTables>;
export type Tx = Transaction<NoTables>;

export interface DatabaseHandle {
  db: Database;
  pool: pg.Pool;
  /** For the log: where the database is, without a secret. */
  description: string;
  embedded: boolean;
  /** Parameters of a connection outside the pool, for a session that holds a lock. */
  connection: pg.ClientConfig;
  /**
   * Calls back at each NOTIFY on the channel; also with "" after a lost connection was restored,
   * as notifications may have been missed. Resolves once listening, to a function that ends it.
   */
  listen: Listener["listen"];
  /** Throws when the database does not answer. */
  ping(): Promise<void>;
  /** Closes every connection and, where it is embedded, stops PostgreSQL. */
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** Null or undefined: the embedded PostgreSQL. */
  url?: string | null | undefined;
  dataDirectory: string;
  runtimeDirectory: string;
  log: Log;
  clock: Clock;
}

/**
 * Opens PostgreSQL, the embedded one unless a URL is given. Throws DATABASE_UNREACHABLE, DATABASE_TOO_OLD or
 * DATABASE_POOLER for a server that cannot be used, and DATABASE_DIRECTORY, DATABASE_CLUSTER_VERSION or
 * ALREADY_RUNNING for a directory that cannot.
 */
export async function openDatabase(options: DatabaseOptions): Promise<DatabaseHandle> {
  const { url, log, clock } = options;
  const isEmbedded = url === null || url === undefined;
  const server = isEmbedded
    ? await startEmbedded(options)
    : { ...(await checkServer(url)), stop: async () => {} };
  const { connection, description } = server;
  const pool = createPool(connection, log);
  const db: Database = new Kysely({
    dialect: new PostgresDialect({ pool: poolFor(pool, server.connection.password) }),
  });
  const listener = createListener({ connection, log, clock });
  return {
    db,
    pool,
    description,
    embedded: isEmbedded,
    connection,
    listen: listener.listen,
    async ping() {
      await pool.query("select 1");
    },
    async close() {
      await listener.close();
      await db.destroy();
      // Kysely ends the pool only if it has ever used it.
      if (!pool.ending) await pool.end();
      await server.stop();
    },
  };
}

/** A pool of lean clients whose connections fail as DATABASE_UNREACHABLE. */
function poolFor(pool: pg.Pool, password: pg.ClientConfig["password"]): PostgresPool {
  const parts = { nameOf: createStatementNames(), sendPacket: createPackets() };
  return {
    async connect() {
      const client = await pool.connect().catch((error: unknown) => {
        throw unreachable(error, typeof password === "string" ? password : null);
      });
      return createLeanClient(client, parts);
    },
    end: () => pool.end(),
    options: pool.options,
  };
}

async function startEmbedded(
  options: DatabaseOptions,
): Promise<Omit<Server, "version"> & { stop(): Promise<void> }> {
  const { connection, stop } = await startEmbeddedPostgres(options);
  return { connection, description: `embedded PostgreSQL at ${connection.host}`, stop };
}
