import pg from "pg";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";

export interface LeaderOptions {
  /** What is led, as it stands in the log and in PostgreSQL's list of sessions. */
  name: string;
  /** Key of the advisory lock: one number for each thing that is led. */
  lock: string;
  connection: pg.ClientConfig;
  clock: Clock;
  log: Log;
  /**
   * What the leader does, on the session that holds the lock, until the
   * signal aborts: when it is to stop, or when the session is lost.
   */
  lead(client: pg.Client, signal: AbortSignal): Promise<void>;
}

/**
 * How often the others ask; a lock request that waits would
 * hold an old snapshot and keep VACUUM from its work.
 */
const ASK_MS = 1_000;
const RECONNECT_MS = 500;

/** Leads whenever no other server does, until the signal aborts. */
export async function leadInTurn(options: LeaderOptions, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    try {
      await serve(options, stopping);
    } catch (error) {
      if (!stopping.aborted) options.log.warn({ name: options.name, error }, "session of a leader failed");
    }
    if (!stopping.aborted) await options.clock.sleep(RECONNECT_MS, stopping).catch(() => {});
  }
}

/** One session: asks for the lock until it has it, leads, and gives it back by closing. */
async function serve(options: LeaderOptions, stopping: AbortSignal): Promise<void> {
  const { name, lock, connection, clock, log, lead } = options;
  const client = new pg.Client({ ...connection, application_name: `mainstay ${name}`, keepAlive: true });
  const lost = new AbortController();
  client.on("error", (error) => lost.abort(error));
  client.once("end", () => lost.abort(new Error("the connection has ended")));
  const signal = AbortSignal.any([stopping, lost.signal]);
  await client.connect();
  try {
    while (!(await hasLock(client, lock))) {
      await clock.sleep(ASK_MS, signal).catch(() => {});
      if (signal.aborted) return;
    }
    log.debug({ name }, "this server leads");
    await lead(client, signal);
  } finally {
    await client.end();
  }
}

async function hasLock(client: pg.Client, lock: string): Promise<boolean> {
  const { rows } = await client.query<{ ok: boolean }>("select pg_try_advisory_lock($1) as ok", [lock]);
  return rows[0]?.ok === true;
}
