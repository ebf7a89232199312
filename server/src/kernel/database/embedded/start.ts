import { launch, type Running } from "./launch.ts";
import { CLUSTER_USER } from "./cluster.ts";
import { preparePlace, type EmbeddedOptions } from "./place.ts";
import { stopPostmaster } from "./postmaster.ts";

export interface EmbeddedPostgres {
  /** `host`, `user` and `database` of a connection. */
  connection: { host: string; user: string; database: string };
  /** How the PostgreSQL that serves now came to be. */
  origin: "started" | "adopted";
  pid: () => number;
  /** Stops PostgreSQL. Connections ought to be closed before. */
  stop(): Promise<void>;
}

const RESTART_FIRST_DELAY_MS = 200;
const RESTART_LAST_DELAY_MS = 10_000;

/**
 * Starts PostgreSQL on `<dataDirectory>/postgres`, making the cluster the first time, and keeps it running
 * until `stop`. One that a killed server left behind is taken over; one that another server uses is refused.
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const { log, clock } = options;
  const place = await preparePlace(options);
  let running: Running = await launch(place, clock);
  const { origin } = running;
  const stopping = new AbortController();
  const kept = keepRunning();
  log.info({ pid: running.postmaster.pid, origin, account: place.account.name }, "embedded PostgreSQL ready");

  /** The guard's connection ends when PostgreSQL does, whether we started or adopted it. */
  async function keepRunning(): Promise<void> {
    for (;;) {
      await running.guard.ended;
      if (stopping.signal.aborted) return;
      log.error({ pid: running.postmaster.pid }, "embedded PostgreSQL went away");
      await restart();
      if (stopping.signal.aborted) return running.guard.release();
      log.info({ pid: running.postmaster.pid, origin: running.origin }, "embedded PostgreSQL is back");
    }
  }

  /** Tries until it runs, or is to stop. */
  async function restart(): Promise<void> {
    let delayMs = RESTART_FIRST_DELAY_MS;
    while (!stopping.signal.aborted) {
      try {
        running = await launch(place, clock);
        return;
      } catch (error) {
        log.error({ error, delayMs }, "embedded PostgreSQL could not be restarted");
        await clock.sleep(delayMs, stopping.signal).catch(() => {});
        delayMs = Math.min(delayMs * 2, RESTART_LAST_DELAY_MS);
      }
    }
  }

  async function stop(): Promise<void> {
    stopping.abort();
    await running.guard.release();
    await kept;
    await stopPostmaster(running.postmaster, clock);
  }

  return {
    connection: { host: place.socketDirectory, user: CLUSTER_USER, database: CLUSTER_USER },
    origin,
    pid: () => running.postmaster.pid,
    stop,
  };
}
