import path from "node:path";
import { AppError, type ArchiveResult, type AuditLogResource } from "@mainstay/api";
import { createVerifier, isLogPath, openCheckpoint, proveEntry, type SignedCheckpoint } from "@mainstay/tlog";
import type { LongRunning } from "../../kernel/actors.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { DatabaseHandle } from "../../kernel/database/index.ts";
import type { Random } from "../../kernel/ids.ts";
import type { Log } from "../../kernel/log.ts";
import type { Metrics } from "../../kernel/metrics.ts";
import { createArchiver, type ArchiveRequest } from "./archive.ts";
import type { Audit, ErasureOrigin } from "./audit.ts";
import { createIntegrator } from "./integrator.ts";
import { createKeepersStore, type KeeperRow } from "./keepers-store.ts";
import { createPusher, type CheckpointKeeper } from "./keepers.ts";
import { createLeaves } from "./leaves.ts";
import { createLogFiles } from "./log-files.ts";
import { createKeyFile } from "./log-key.ts";
import { createLogStore, type LogRow } from "./log-store.ts";
import { createAuditStore } from "./store.ts";
import { createWitness, type Witness } from "./witness.ts";

export interface AuditLogDependencies {
  database: Pick<DatabaseHandle, "db" | "connection" | "listen">;
  audit: Audit;
  dataDirectory: string;
  /** The name of a log that begins now. */
  origin: string;
  /** Who keeps checkpoints elsewhere, by name. */
  keepers: Readonly<Record<string, CheckpointKeeper>>;
  /** Keys of the logs that this platform is a witness of. */
  witnessOf: readonly string[];
  clock: Clock;
  random: Random;
  log: Log;
  metrics: Metrics;
}

/** What keeps the log, or its checkpoints, from going on. */
export interface AuditProblem {
  kind: "audit-log-failing" | "checkpoint-failing";
  subject: string;
  summary: string;
}

export interface AuditLog extends LongRunning, Pick<Witness, "addCheckpoint"> {
  status(): Promise<AuditLogResource>;
  /** A file of the log. Throws NOT_FOUND. */
  file(name: string): Promise<Uint8Array>;
  /** The `.tlog-proof` file of an entry. Throws AUDIT_NOT_IN_LOG for one that is not in it yet. */
  prove(index: number): Promise<string>;
  isInLog(index: number | null): Promise<boolean>;
  archive(request: ArchiveRequest, origin: ErasureOrigin): Promise<ArchiveResult>;
  problems(): Promise<AuditProblem[]>;
}

/** The log over the audit: written, signed, served, and shown to those who keep its checkpoints. */
export function createAuditLog(dependencies: AuditLogDependencies): AuditLog {
  const { database, audit, dataDirectory, origin, keepers, clock, random, log, metrics } = dependencies;
  const { db } = database;
  const [folder, archiveFolder] = ["log", "archive"].map((each) => path.join(dataDirectory, "audit", each));
  if (folder === undefined || archiveFolder === undefined) throw new Error("unreachable");
  const [entries, store, keepersStore] = [createAuditStore(db), createLogStore(db), createKeepersStore(db)];
  const files = createLogFiles(folder);
  const leaves = createLeaves({ entries, log: store, archiveFolder });
  const keyIn = (name: string) => createKeyFile(path.join(dataDirectory, "keys", name), random);
  const witness = createWitness({
    ...{ db, store: keepersStore, clock, key: keyIn("audit-witness.key") },
    ...{ name: `${origin}/witness`, logs: dependencies.witnessOf },
  });
  const archiver = createArchiver({ db, entries, log: store, audit, clock, folder: archiveFolder });
  const integrated = metrics.gauge({
    name: "mainstay_audit_log_entries",
    help: "Entries under the newest checkpoint that this server has signed.",
  });
  const pusher = createPusher({ keepers, store: keepersStore, files, clock, log, newest });
  const integrator = createIntegrator({
    ...{ database, store, leaves, files, folder, key: keyIn("audit-log.key"), origin, clock, random, log },
    beside: pusher.run,
    onSigned({ size }) {
      integrated.set({}, size);
      pusher.notice();
    },
  });

  async function newest() {
    const row = await store.log();
    const checkpoint = row && checkpointOf(row);
    return row && checkpoint ? { checkpoint, vkey: row.vkey } : null;
  }

  async function isInLog(index: number | null): Promise<boolean> {
    return index !== null && index <= ((await store.log())?.size ?? 0);
  }

  async function prove(index: number): Promise<string> {
    const latest = await newest();
    if (latest === null || index > latest.checkpoint.size) throw new AppError("AUDIT_NOT_IN_LOG", { index });
    return proveEntry(files, latest.checkpoint, index - 1);
  }

  async function file(name: string): Promise<Uint8Array> {
    const bytes = isLogPath(name) ? await files.read(name) : null;
    if (bytes === null) throw new AppError("NOT_FOUND", { what: `a file ${name} of the audit log` });
    return bytes;
  }

  async function status(): Promise<AuditLogResource> {
    const [row, { last }, rows] = [await store.log(), await leaves.bounds(), await keepersStore.keepers()];
    const [archives, witnessed] = [await store.archives(), await keepersStore.witnessed()];
    return {
      origin: row?.origin ?? null,
      vkey: row?.vkey ?? null,
      size: row?.size ?? 0,
      signedAt: row?.signed_at?.toISOString() ?? null,
      numbered: last,
      problem: row?.problem ?? integrator.problem(),
      problemSince: row?.problem_since?.toISOString() ?? null,
      keepers: Object.entries(keepers).map(([name, { target }]) =>
        toKeeper({ name, target, row: rows.find((each) => each.name === name) }),
      ),
      archives: archives.map(
        ({ first_index: first, last_index: end, file: name, sha256, archived_at: at }) => ({
          ...{ first, last: end, file: name, sha256, archivedAt: at.toISOString() },
        }),
      ),
      witnessVkey: await witness.vkey(),
      witnessed: witnessed.map((each) => ({
        origin: each.origin,
        size: each.size,
        at: each.at.toISOString(),
      })),
    };
  }

  async function problems(): Promise<AuditProblem[]> {
    const [row, rows] = [await store.log(), await keepersStore.keepers()];
    const words = row?.problem ?? integrator.problem();
    const summary = `The audit log does not go on: ${words}`;
    const own: AuditProblem[] =
      words === null ? [] : [{ kind: "audit-log-failing", subject: "log", summary }];
    const failing = rows.filter((each) => each.failures > 0 && Object.hasOwn(keepers, each.name));
    return [
      ...own,
      ...failing.map(({ name, error }): AuditProblem => ({
        kind: "checkpoint-failing",
        subject: name,
        summary: `Checkpoints of the audit log do not reach ${name}: ${error}`,
      })),
    ];
  }

  const { name, start, stop } = integrator;
  return {
    ...{ name, start, stop },
    addCheckpoint: witness.addCheckpoint,
    archive: archiver.archive,
    ...{ status, file, prove, isInLog, problems },
  };
}

function checkpointOf({ note, origin, vkey }: LogRow): SignedCheckpoint | null {
  return note === null ? null : openCheckpoint(note, { origin, keys: [createVerifier(vkey)] });
}

function toKeeper({ name, target, row }: { name: string; target: string; row: KeeperRow | undefined }) {
  return {
    ...{ name, target, size: row?.size ?? 0, keptAt: row?.kept_at?.toISOString() ?? null },
    ...{ cosignature: row?.cosignature ?? null, kept: row?.kept_total ?? 0, failed: row?.failed_total ?? 0 },
    ...{ failures: row?.failures ?? 0, problem: row?.error ?? null },
    nextAt: row?.next_at?.toISOString() ?? null,
  };
}
