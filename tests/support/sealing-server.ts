import { randomBytes } from "node:crypto";
import { platformFile, type PlatformConfig } from "@mainstay/api";
import { sql } from "kysely";
import { auditStream, createAudit } from "../../server/src/core/audit/index.ts";
import {
  createKeySource,
  createSealer,
  createSecrets,
  openKeys,
  type SealedColumn,
} from "../../server/src/core/secrets/index.ts";
import type { Clock } from "../../server/src/kernel/clock.ts";
import type { DatabaseHandle } from "../../server/src/kernel/database/index.ts";
import { createEvents } from "../../server/src/kernel/events/index.ts";
import { createIds } from "../../server/src/kernel/ids.ts";
import { createJobs, type Jobs } from "../../server/src/kernel/jobs/index.ts";
import { createMetrics } from "../../server/src/kernel/metrics.ts";
import { silentLog } from "./log.ts";

/** Two tables as rooms have them, each with something sealed. */
const COLUMNS: readonly SealedColumn[] = [
  { table: "load.things", column: "sealed_thing", key: "id" },
  { table: "load.others", column: "sealed_other", key: "id" },
];

/** Shorter than in production: nobody waits long for one that was killed. */
const SERVER_LIFE_MS = 3000;

export async function createSealedTables({ db }: Pick<DatabaseHandle, "db">): Promise<void> {
  await sql`create schema load`.execute(db);
  await sql`create table load.things (id text primary key, plain text, sealed_thing bytea)`.execute(db);
  await sql`create table load.others (id integer primary key, plain text, sealed_other bytea)`.execute(db);
}

export interface SealingServerOptions {
  database: DatabaseHandle;
  clock: Clock;
  dataDirectory: string;
  settings?: Partial<PlatformConfig["secrets"]>;
  /** False: its rotations are carried out by others. */
  works?: boolean;
}

/** The room of secrets as a server has it, on a database that others use too. */
export async function createSealingServer(options: SealingServerOptions) {
  const { database, clock, dataDirectory, works = true } = options;
  const settings = { ...platformFile.parse({}).secrets, ...options.settings };
  const source = createKeySource({ settings, dataDirectory, random: randomBytes });
  const { db } = database;
  const keys = await openKeys({ db, clock, source });
  const ids = createIds({ clock, random: randomBytes });
  const metrics = createMetrics({ clock, log: silentLog });
  const events = createEvents({
    ...{ database, clock, ids, log: silentLog, metrics, streams: [auditStream], source: "test" },
  });
  const jobs = works ? createJobs({ database, log: silentLog, metrics, superviseSeconds: 1 }) : IDLE;
  const secrets = createSecrets({
    ...{ database, clock, ids, random: randomBytes, events, jobs, log: silentLog, keys },
    audit: createAudit({ db, clock, ids }),
    columns: COLUMNS,
    serverLifeMs: SERVER_LIFE_MS,
  });
  const sealer = createSealer({ keyring: keys.keyring, random: randomBytes });
  return {
    ...{ keys, secrets, sealer },
    async start() {
      await jobs.start();
      await secrets.start();
    },
    async stop() {
      await jobs.stop();
      await secrets.stop();
    },
  };
}
export type SealingServer = Awaited<ReturnType<typeof createSealingServer>>;

const IDLE: Jobs = {
  name: "jobs",
  define: () => {},
  enqueue: async () => null,
  schedule: () => {},
  start: async () => {},
  stop: async () => {},
};
