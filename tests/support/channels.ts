import { randomBytes } from "node:crypto";
import { platformFile } from "@mainstay/api";
import { createAudit } from "../../server/src/core/audit/index.ts";
import { createChannelsRoom } from "../../server/src/drivers/channels/index.ts";
import { createSystemClock, type Clock } from "../../server/src/kernel/clock.ts";
import type { DatabaseHandle } from "../../server/src/kernel/database/index.ts";
import { createIds } from "../../server/src/kernel/ids.ts";
import { createJobs } from "../../server/src/kernel/jobs/index.ts";
import { createMetrics } from "../../server/src/kernel/metrics.ts";
import { createTestEvents } from "./events.ts";
import { silentLog } from "./log.ts";

export interface ChannelsServerOptions {
  database: DatabaseHandle;
  /** As in mainstay.platform.yaml. */
  channels: Record<string, unknown>;
  env?: Record<string, string>;
  clock?: Clock;
}

/** A server that does nothing but send messages: real database, events and jobs. */
export async function startChannelsServer(options: ChannelsServerOptions) {
  const { database, channels: written, env = {}, clock = createSystemClock() } = options;
  const { db } = database;
  const ids = createIds({ clock, random: randomBytes });
  const metrics = createMetrics({ clock, log: silentLog });
  const events = createTestEvents(database, { clock });
  const jobs = createJobs({ database, log: silentLog, metrics });
  const { channels } = createChannelsRoom({
    ...{ config: platformFile.parse({ channels: written }), env, db, clock, ids, events, jobs, metrics },
    audit: createAudit({ db, clock, ids }),
    random: (count) => new Uint8Array(count),
    log: silentLog,
    checkHealth: async () => {},
  });
  await jobs.start();
  await channels.start();
  await events.start();
  return {
    channels,
    events,
    metrics: metrics.render,
    async stop() {
      await events.stop();
      await jobs.stop();
    },
  };
}
export type ChannelsServer = Awaited<ReturnType<typeof startChannelsServer>>;
