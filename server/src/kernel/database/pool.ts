import pg from "pg";
import type { Log } from "../log.ts";

const POOL_SIZE = 20;
const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 60_000;
/** By statements and not as start-up parameters, which poolers refuse. */
const SESSION_SETTINGS = [
  `set statement_timeout = ${STATEMENT_TIMEOUT_MS}`,
  `set idle_in_transaction_session_timeout = ${STATEMENT_TIMEOUT_MS}`,
].join("; ");

/** The connections that everybody shares. A lost one is an entry in the log, never an uncaught error. */
export function createPool(connection: pg.ClientConfig, log: Log): pg.Pool {
  const pool = new pg.Pool({
    ...connection,
    max: POOL_SIZE,
    application_name: "mainstay",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    types: { getTypeParser },
    onConnect: async (client) => {
      await client.query(SESSION_SETTINGS);
    },
  });
  const report = (error: Error): void => {
    if (!pool.ending) log.warn({ reason: error.message }, "database connection lost");
  };
  pool.on("error", report);
  // Also while in use, and while dying after the pool was ended: the pool itself listens only to the idle ones.
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

/** bigint as a number: our counters stay far below 2^53, and one that did not would be refused, not rounded. */
const getTypeParser: typeof pg.types.getTypeParser = (oid: number, format?: "text" | "binary") =>
  oid === pg.types.builtins.INT8 ? parseSafeInteger : pg.types.getTypeParser(oid, format);

function parseSafeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`the bigint ${text} does not fit a number`);
  return value;
}
