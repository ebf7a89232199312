import { randomBytes } from "node:crypto";
import { openTestDatabase } from "./database.ts";
import { createTestEvents, type TestEvents } from "./events.ts";
import { silentLog } from "./log.ts";
import { createTemporaryDirectory } from "./temporary.ts";
import { waitUntil } from "./wait-until.ts";
import { createSystemClock } from "../../server/src/kernel/clock.ts";
import type { DatabaseHandle } from "../../server/src/kernel/database/index.ts";
import { createIds } from "../../server/src/kernel/ids.ts";
import { createMetrics } from "../../server/src/kernel/metrics.ts";
import {
  auditStream,
  createAudit,
  createAuditLog,
  type Audit,
  type AuditLog,
  type AuditLogDependencies,
  type NewAuditEntry,
} from "../../server/src/core/audit/index.ts";

/** A database with the audit, its sequencer, and a log on a directory of its own. */
export interface AuditHouse {
  database: DatabaseHandle & { url: string };
  audit: Audit;
  dataDirectory: string;
  log(): AuditLog;
  record(count: number, more?: Partial<NewAuditEntry>): Promise<void>;
  /** A log on the same database and directory; `startLog` runs it, as after a restart. */
  makeLog(more?: Partial<AuditLogDependencies>): AuditLog;
  startLog(more?: Partial<AuditLogDependencies>): Promise<AuditLog>;
  stopLog(): Promise<void>;
  /** Resolves once so many entries are under a checkpoint. */
  integrated(size: number): Promise<void>;
  close(): Promise<void>;
}

export const ORIGIN = "test.example/audit";

export function newEntry(more: Partial<NewAuditEntry> = {}): NewAuditEntry {
  return {
    actor: { type: "user", id: "usr_1", name: "Ada Lovelace" },
    action: "changes.requested",
    resource: { type: "change", id: "chg_1" },
    address: "192.0.2.7",
    ...more,
  };
}

/** Everything real but the HTTP server. */
export async function openAuditHouse(): Promise<AuditHouse> {
  const database = await openTestDatabase();
  const directory = createTemporaryDirectory();
  const clock = createSystemClock();
  const audit = createAudit({ db: database.db, clock, ids: createIds({ clock, random: randomBytes }) });
  const events: TestEvents = createTestEvents(database, { streams: [auditStream] });
  await events.start();
  let log: AuditLog | null = null;

  async function stopLog(): Promise<void> {
    await log?.stop();
    log = null;
  }

  function makeLog(more: Partial<AuditLogDependencies> = {}): AuditLog {
    return createAuditLog({
      ...{ database, audit, dataDirectory: directory.path, origin: ORIGIN, clock, random: randomBytes },
      ...{ keepers: {}, witnessOf: [], log: silentLog, metrics: createMetrics({ clock, log: silentLog }) },
      ...more,
    });
  }

  function current(): AuditLog {
    if (log === null) throw new Error("the log is not started");
    return log;
  }

  return {
    database,
    audit,
    dataDirectory: directory.path,
    log: current,
    async record(count, more = {}) {
      for (let done = 0; done < count; done += 100) {
        await database.db.transaction().execute(async (tx) => {
          for (let at = done; at < Math.min(count, done + 100); at += 1)
            await audit.record(tx, newEntry({ after: { nth: at }, ...more }));
        });
      }
    },
    makeLog,
    async startLog(more = {}) {
      await stopLog();
      log = makeLog(more);
      await log.start();
      return log;
    },
    stopLog,
    integrated: async (size) => {
      await waitUntil(`${size} entries in the log`, async () => (await current().status()).size >= size);
    },
    async close() {
      await stopLog();
      await events.stop();
      await database.close();
      directory.remove();
    },
  };
}
