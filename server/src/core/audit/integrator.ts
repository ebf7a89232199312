import {
  checkExtension,
  CHECKPOINT_PATH,
  createLogReader,
  createLogWriter,
  createSigner,
  createVerifier,
  LogError,
  openCheckpoint,
  type LogStore,
  type LogTrust,
  type LogWriter,
  type SignedCheckpoint,
} from "@mainstay/tlog";
import type { LongRunning } from "../../kernel/actors.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { DatabaseHandle } from "../../kernel/database/index.ts";
import { leadInTurn, NUMBERED_CHANNEL } from "../../kernel/events/index.ts";
import type { Random } from "../../kernel/ids.ts";
import type { Log } from "../../kernel/log.ts";
import { createWake } from "../../kernel/wake.ts";
import type { Leaves } from "./leaves.ts";
import type { KeyFile } from "./log-key.ts";
import type { AuditLogStore, LogRow } from "./log-store.ts";
import { rebuildLog } from "./rebuild.ts";

export interface IntegratorDependencies {
  database: Pick<DatabaseHandle, "connection" | "listen">;
  store: AuditLogStore;
  leaves: Leaves;
  files: LogStore;
  /** Where the files lie. */
  folder: string;
  key: KeyFile;
  /** The name of a log that begins now; one that is there keeps its own. */
  origin: string;
  clock: Clock;
  random: Random;
  log: Log;
  /** What else the leader does, on the same session, until the signal aborts. */
  beside(signal: AbortSignal): Promise<void>;
  /** Told after each checkpoint. */
  onSigned(checkpoint: SignedCheckpoint): void;
}

interface Opened {
  writer: LogWriter;
  /** What the files show. */
  current: SignedCheckpoint | null;
  /** What the database remembers. */
  recorded: SignedCheckpoint | null;
}

/** "audit" in ASCII. */
const LEADER_LOCK = "418564598132";
const BATCH_ENTRIES = 4_096;
/** The last entries of the log are compared with the database before anything is added. */
const OVERLAP_ENTRIES = 256;
/** At most so often a checkpoint is signed; what comes meanwhile goes into the next. */
const PACE_MS = 200;
/**
 * While so many come in that time, signing and syncing
 * files twice a second leaves more to those who write them.
 */
const BUSY = { entries: 128, paceMs: 500 };
/** Notifications wake it; a look finds what none told of. */
const LOOK_MS = 1_000;
const RETRY_MS = 10_000;

export interface Integrator extends LongRunning {
  /** What keeps this server from going on with the log; null: nothing, or it does not lead. */
  problem(): string | null;
}

/** Brings numbered entries into the log and signs it, on one server at a time. */
export function createIntegrator(dependencies: IntegratorDependencies): Integrator {
  const { database, store, leaves, files, folder, key, clock, random, log } = dependencies;
  const wake = createWake(clock);
  const stopping = new AbortController();
  let problem: string | null = null;
  let endListening = async (): Promise<void> => {};
  let leading: Promise<void> = Promise.resolve();

  async function lead(_: unknown, session: AbortSignal): Promise<void> {
    const failed = new AbortController();
    const signal = AbortSignal.any([session, failed.signal]);
    const beside = dependencies.beside(signal);
    try {
      await keepUp(signal);
    } catch (error) {
      if (signal.aborted) return;
      await tell(error);
      // Another server may have what this one lacks: it gets its turn.
      await clock.sleep(RETRY_MS, signal).catch(() => {});
    } finally {
      failed.abort();
      await beside;
    }
  }

  async function keepUp(signal: AbortSignal): Promise<void> {
    const { writer, current, recorded } = await open();
    problem = null;
    let recordedSize = recorded?.size ?? 0;
    const { first } = await leaves.bounds();
    let from = Math.max(0, first - 1, (current?.size ?? 0) - OVERLAP_ENTRIES);
    while (!signal.aborted) {
      const entries = await leaves.after(from, BATCH_ENTRIES);
      if (signal.aborted) return;
      if (entries.length > 0) {
        const signed = await writer.append({ firstIndex: from, entries });
        from += entries.length;
        if (signed.size > recordedSize) {
          await store.signed({ size: signed.size, note: signed.note, now: clock.now() });
          recordedSize = signed.size;
          dependencies.onSigned(signed);
        }
      }
      if (entries.length === BATCH_ENTRIES) continue;
      const paceMs = entries.length < BUSY.entries ? PACE_MS : BUSY.paceMs;
      if (entries.length > 0) await clock.sleep(paceMs, signal).catch(() => {});
      await wake.sleep(LOOK_MS, signal);
    }
  }

  /** The writer, once database, files and key agree. Throws what speaks against it. */
  async function open(): Promise<Opened> {
    const { row, skey } = await identify();
    const trust = { origin: row.origin, keys: [createVerifier(row.vkey)] };
    const recorded = row.note === null ? null : openCheckpoint(row.note, trust);
    let current = await readCheckpoint(files, trust);
    if (recorded !== null && (current === null || current.size < recorded.size)) {
      if (!(await rebuildLog({ leaves, folder, recorded, random }))) {
        throw new LogError("altered", LOST(recorded.size, current?.size ?? 0));
      }
      log.warn({ size: recorded.size }, "tiles of the audit log were lost and made again of the entries");
      current = recorded;
    }
    if (current !== null) await checkAgainst(recorded, current);
    if (row.problem !== null) await store.setProblem(null, clock.now());
    const writer = createLogWriter({ store: files, signer: createSigner(skey), trust });
    return { writer, current, recorded };
  }

  /** The log is begun once; from then on only its own key goes on with it. */
  async function identify(): Promise<{ row: LogRow; skey: string }> {
    const [row, held] = [await store.log(), await key.read()];
    if (row !== undefined) {
      if (held === null) throw new LogError("unsigned", KEY_GONE);
      if (held.vkey !== row.vkey) throw new LogError("unsigned", KEY_OTHER);
      return { row, skey: held.skey };
    }
    if ((await files.read(CHECKPOINT_PATH)) !== null) throw new LogError("forked", DATABASE_NEW);
    const isOwn = held?.vkey.startsWith(`${dependencies.origin}+`) ?? false;
    const made = isOwn && held ? held : await key.make(dependencies.origin);
    await store.create({ origin: dependencies.origin, vkey: made.vkey });
    const created = await store.log();
    if (created === undefined) throw new Error("the log was not created");
    log.info({ origin: created.origin, vkey: created.vkey }, "the audit log begins");
    return { row: created, skey: made.skey };
  }

  /** The files may be ahead of the database by what was signed when a server died, and never by entries. */
  async function checkAgainst(recorded: SignedCheckpoint | null, current: SignedCheckpoint): Promise<void> {
    const { last } = await leaves.bounds();
    if (current.size > last) throw new LogError("truncated", RESTORED(current.size, last));
    if (recorded === null || recorded.size === 0) return;
    const reader = createLogReader(files, current.size);
    checkExtension({ retained: recorded, current, proof: await reader.proveConsistency(recorded.size) });
  }

  async function tell(reason: unknown): Promise<void> {
    problem = reason instanceof Error ? reason.message : String(reason);
    log.error({ error: reason }, "the audit log does not go on");
    await store.setProblem(problem, clock.now()).catch(() => {});
  }

  return {
    name: "audit-log",
    problem: () => problem,
    async start() {
      endListening = await database.listen(NUMBERED_CHANNEL, wake.ring);
      const { connection } = database;
      leading = leadInTurn(
        { name: "audit log", lock: LEADER_LOCK, connection, clock, log, lead },
        stopping.signal,
      );
    },
    async stop() {
      stopping.abort();
      await leading;
      await endListening();
    },
  };
}

/** The checkpoint that lies in the files; null without one. */
async function readCheckpoint(files: LogStore, trust: LogTrust): Promise<SignedCheckpoint | null> {
  const note = await files.read(CHECKPOINT_PATH);
  return note === null ? null : openCheckpoint(note, trust);
}

const KEY_GONE = "keys/audit-log.key is not there: bring it back from a backup, no other key may go on";
const KEY_OTHER = "keys/audit-log.key is not the key that began the log: bring the right one back";
const DATABASE_NEW =
  "a log lies in the data directory that this database knows nothing of: was the database replaced?";
const LOST = (signed: number, found: number) =>
  `${signed} entries were signed, the files hold ${found}, and the database no longer holds those entries`;
const RESTORED = (signed: number, found: number) =>
  `${signed} entries were signed and the database holds ${found}: it was restored, or entries were removed`;
