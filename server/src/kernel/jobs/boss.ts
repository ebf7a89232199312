import { PgBoss, type Db } from "pg-boss";
import type { DatabaseHandle } from "../database/index.ts";
import type { JobOptions } from "./job.ts";

export const DEFAULT_RETRIES = 5;

const RETRY_FIRST_SECONDS = 1;
const RETRY_LAST_SECONDS = 300;
/** A job whose server died is noticed after this time, at the supervisor's next look. */
const HEARTBEAT_SECONDS = 10;
/** Longer than any pause between attempts. */
const KEEP_DONE_SECONDS = 3 * 86_400;

/** pg-boss on the connections of the database handle, with its tables in the schema `jobs`. */
export function createBoss(database: DatabaseHandle, superviseSeconds: number): PgBoss {
  return new PgBoss({
    db: adapter(database),
    schema: "jobs",
    useListenNotify: true,
    superviseIntervalSeconds: superviseSeconds,
    monitorIntervalSeconds: superviseSeconds,
  });
}

/** `listen` counts as restored with an empty payload, see DatabaseHandle. */
function adapter({ pool, listen }: DatabaseHandle): Db {
  let last: Promise<unknown> = Promise.resolve();
  return {
    // One after the other: every queue looks for due jobs at
    // the same moment, and would keep a connection for it.
    executeSql(text, values) {
      const turn = last.then(() => pool.query(text, values));
      last = turn.catch(() => undefined);
      return turn;
    },
    async listen(channel, onNotification, onReconnect) {
      const close = await listen(channel, (queue) => (queue === "" ? onReconnect() : onNotification(queue)));
      return { close };
    },
  };
}

/** Makes the queue, or brings an existing one to these options. */
export async function prepareQueue(boss: PgBoss, name: string, options: JobOptions<object>): Promise<void> {
  const settings = {
    retryLimit: options.retries ?? DEFAULT_RETRIES,
    retryDelay: RETRY_FIRST_SECONDS,
    retryBackoff: true,
    retryDelayMax: RETRY_LAST_SECONDS,
    expireInSeconds: Math.max(1, Math.ceil(options.deadlineMs / 1000)),
    heartbeatSeconds: HEARTBEAT_SECONDS,
    deleteAfterSeconds: KEEP_DONE_SECONDS,
    notify: true,
  };
  // "short": one job per singletonKey may wait to begin.
  await boss.createQueue(name, { ...settings, policy: "short" });
  await boss.updateQueue(name, settings);
}
