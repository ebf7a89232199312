import pg from "pg";
import type { Log } from "../log.ts";

const POOL_SIZE = 20;
const CONNECT_TIMEOUT_MS = 10_000;
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
    // `begin` goes out with the statement behind it.
    pipeline: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    types: createTypes(),
    verify: (client, done) => client.query(SESSION_SETTINGS, (error) => done(error)),
  });
  pool.on("error", (error) => {
    if (!pool.ending) log.warn({ reason: error.message }, "database connection lost");
  });
  // The pool listens to idle connections only; one may also die while in use, or after the pool was ended.
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

/**
 * bigint as a number: our counters stay far below 2^53, and one that did not would be refused, not rounded.
 */
function createTypes(): pg.TypeOverrides {
  const types = new pg.TypeOverrides();
  types.setTypeParser(pg.types.builtins.INT8, parseSafeInteger);
  return types;
}

function parseSafeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`the bigint ${text} does not fit a number`);
  return value;
}
