import { AppError } from "@mainstay/api";
import pg from "pg";
import { CLUSTER_USER } from "./cluster.ts";

/**
 * Proof that this process, and no other, is the master of the
 * embedded PostgreSQL: a lock held by an open connection.
 */
export interface Guard {
  /** Resolves when the connection has ended, for whatever reason. */
  ended: Promise<void>;
  release(): Promise<void>;
}

/** "mainstay" in ASCII, as advisory locks are named by numbers. */
const GUARD_LOCK = "7881696745979404665";
/** The connection of a server that was just killed may take a moment to be noticed. */
const LOCK_WAIT_MS = 3_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** SQLSTATE codes, appendix A of PostgreSQL's manual. */
const LOCK_NOT_AVAILABLE = "55P03";
const CANNOT_CONNECT_NOW = "57P03";

/** Null when PostgreSQL does not answer (yet); throws ALREADY_RUNNING when another server holds the guard. */
export async function takeGuard(socketDirectory: string, cluster: string): Promise<Guard | null> {
  const client = new pg.Client({
    host: socketDirectory,
    user: CLUSTER_USER,
    database: "postgres",
    application_name: "mainstay guard",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  const ended = new Promise<void>((resolve) => client.once("end", () => resolve()));
  // The end of the connection is what counts; why it ended is in PostgreSQL's own log.
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code !== CANNOT_CONNECT_NOW) throw error;
    return null;
  }
  await takeLock(client, cluster);
  await createDatabase(client);
  return { ended, release: () => client.end() };
}

async function takeLock(client: pg.Client, cluster: string): Promise<void> {
  try {
    await client.query(`set lock_timeout = ${LOCK_WAIT_MS}`);
    await client.query(`select pg_advisory_lock(${GUARD_LOCK})`);
  } catch (error) {
    await client.end();
    if (!(error instanceof pg.DatabaseError) || error.code !== LOCK_NOT_AVAILABLE) throw error;
    throw new AppError("ALREADY_RUNNING", { path: cluster }, { cause: error });
  }
}

/** As a copy of files: page by page, all of it would pass through the shared buffers, and stay there. */
async function createDatabase(client: pg.Client): Promise<void> {
  const { rowCount } = await client.query("select from pg_database where datname = $1", [CLUSTER_USER]);
  if (rowCount === 0) await client.query(`create database ${CLUSTER_USER} strategy file_copy`);
}
