import type { PlatformConfig } from "@mainstay/api";
import { z } from "zod";
import type { Builds } from "./core/builds/index.ts";
import type { Changes } from "./core/changes/index.ts";
import type { Accounts } from "./core/identity/index.ts";
import type { Collect, Services } from "./core/services/index.ts";
import type { Uploads } from "./core/uploads/index.ts";
import type { Channels } from "./drivers/channels/index.ts";
import type { Clock } from "./kernel/clock.ts";
import type { Events } from "./kernel/events/index.ts";
import type { Jobs } from "./kernel/jobs/index.ts";

const PLATFORM = {
  actor: { type: "system", id: "mainstay", name: "Mainstay" },
  requestId: null,
  address: null,
};
const HOURLY = "17 * * * *";
const DEADLINE_MS = 10 * 60_000;

export interface HousekeepingDependencies {
  events: Events;
  changes: Changes;
  services: { tasks: Pick<Services["tasks"], "prune"> };
  builds: Pick<Builds, "prune">;
  idempotencyStore: { purge(): Promise<number> };
  collect: Collect;
  uploads: Pick<Uploads, "removeExpired">;
  channels: Pick<Channels, "keep">;
  accounts: Pick<Accounts, "purge">;
  retention: PlatformConfig["retention"];
  clock: Clock;
}

/** What is deleted because of its age, once an hour. */
export function addHousekeeping(jobs: Jobs, dependencies: HousekeepingDependencies): void {
  const { events, changes, services, builds, collect, idempotencyStore, uploads, channels } = dependencies;
  const { accounts, retention, clock } = dependencies;
  const options = { data: z.object({}), deadlineMs: DEADLINE_MS };
  jobs.define("prune-events", options, async () => {
    await events.prune(retention.events);
  });
  jobs.define("prune-evidence", options, async () => {
    await changes.pruneSamples(new Date(clock.now().getTime() - retention.evidence));
  });
  jobs.define("prune-tasks", options, async () => {
    const before = new Date(clock.now().getTime() - retention.evidence);
    await services.tasks.prune(before);
    await builds.prune(before);
  });
  jobs.define("purge-idempotency-keys", options, async () => {
    await idempotencyStore.purge();
  });
  jobs.define("remove-expired-uploads", options, async () => {
    await uploads.removeExpired();
  });
  jobs.define("collect-releases", options, async () => {
    await collect({ dryRun: false }, PLATFORM);
  });
  jobs.define("keep-deliveries", options, async () => {
    await channels.keep(new Date(clock.now().getTime() - retention.events));
  });
  jobs.define("purge-logins", options, async () => {
    await accounts.purge();
  });
  jobs.schedule("purge-logins", HOURLY);
  jobs.schedule("keep-deliveries", HOURLY);
  jobs.schedule("collect-releases", HOURLY);
  jobs.schedule("remove-expired-uploads", HOURLY);
  jobs.schedule("purge-idempotency-keys", HOURLY);
  jobs.schedule("prune-events", HOURLY);
  jobs.schedule("prune-evidence", HOURLY);
  jobs.schedule("prune-tasks", HOURLY);
}
