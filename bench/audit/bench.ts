import { randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { auditStream, createAudit, createAuditLog } from "../../server/src/core/audit/index.ts";
import { createSystemClock, type Clock } from "../../server/src/kernel/clock.ts";
import { migrate, openDatabase, type DatabaseHandle } from "../../server/src/kernel/database/index.ts";
import { createEvents } from "../../server/src/kernel/events/index.ts";
import { createIds } from "../../server/src/kernel/ids.ts";
import { createMetrics } from "../../server/src/kernel/metrics.ts";
import { ROOMS } from "../../server/src/rooms.ts";
import { silentLog } from "../../tests/support/log.ts";
import type { BenchReport } from "../bench.ts";
import { cpuSecondsOf } from "../proxy/process-tree.ts";

const WRITERS = [1, 8, 20, 40];
const SECONDS = 3;
const WARM_UP_SECONDS = 3;
const ROUNDS = 2;
const LOOK_MS = 100;
/** The pool of the server has 20; the bench lets more transactions commit together. */
const CONNECTIONS = 40;

/** Transactions that alter a row and record it, while the log over them is written and signed. */
export async function run(): Promise<BenchReport> {
  const loadsBefore = loadavg();
  const directory = await mkdtemp(join(tmpdir(), "mainstay-bench-"));
  await chmod(directory, 0o755);
  const clock = createSystemClock();
  const dataDirectory = join(directory, "data");
  const runtimeDirectory = join(directory, "run");
  for (const each of [dataDirectory, runtimeDirectory]) await mkdir(each, { mode: 0o755 });
  const opened = { dataDirectory, runtimeDirectory, log: silentLog, clock };
  const database = await openDatabase(opened);
  database.pool.options.max = CONNECTIONS;
  await migrate({ pool: database.pool, rooms: [...ROOMS], log: silentLog, version: "bench" });
  const { rows } = await database.pool.query<{ fsync: string }>("show fsync");
  await database.pool.query("create table bench_rows (id bigint primary key, value bigint not null)");
  await database.pool.query("insert into bench_rows select i, 0 from generate_series(0, 9999) as i");
  const ids = createIds({ clock, random: randomBytes });
  const audit = createAudit({ db: database.db, clock, ids });
  const metrics = createMetrics({ clock, log: silentLog });
  const shared = { database, clock, log: silentLog, metrics };
  const events = createEvents({ ...shared, ids, source: "bench", streams: [auditStream] });
  const origin = "bench.example/audit";
  const auditLog = createAuditLog({
    ...{ ...shared, audit, dataDirectory, origin, keepers: {}, witnessOf: [], random: randomBytes },
  });
  await events.start();
  await auditLog.start();
  try {
    const size = async (): Promise<number> => {
      const row = await database.pool.query<{ size: number }>("select size from audit.log");
      return row.rows[0]?.size ?? 0;
    };
    const shape = { database, clock, record: audit.record, size };
    await measure({ ...shape, writers: Math.max(...WRITERS), isAudited: true, seconds: WARM_UP_SECONDS });
    const results: (string | number)[][] = [];
    for (const writers of WRITERS) {
      const [plain, audited]: [Measured[], Measured[]] = [[], []];
      for (let round = 0; round < ROUNDS; round += 1) {
        plain.push(await measure({ ...shape, writers, isAudited: false, seconds: SECONDS }));
        audited.push(await measure({ ...shape, writers, isAudited: true, seconds: SECONDS }));
      }
      const share = `${Math.round((rateOf(audited) / rateOf(plain)) * 100)} %`;
      results.push(["the update alone", writers, rateOf(plain), "", ...inWords(plain)]);
      results.push(["and its audit row", writers, rateOf(audited), share, ...inWords(audited)]);
    }
    const [oneBefore, fiveBefore, fifteenBefore] = loadsBefore;
    return {
      tables: [
        {
          title: "Audited transactions: an update, its audit row, a commit",
          columns: [
            "what is committed",
            "writers",
            "per second",
            "of the update alone",
            "CPU s per 1,000",
            "of it Node",
            "of it PostgreSQL",
            "furthest behind",
            "caught up after",
          ],
          rows: results,
          notes: [
            `The update alone is the yardstick: the same driver, connections and commits; ${ROUNDS} rounds of ${SECONDS} s each, in turn, after ${WARM_UP_SECONDS} s of warming up.`,
            `Load of the machine before the run: ${oneBefore?.toFixed(1)}, ${fiveBefore?.toFixed(1)}, ${fifteenBefore?.toFixed(1)} (1, 5, 15 minutes); writers compete with whatever that is.`,
            `Embedded PostgreSQL, fsync ${rows[0]?.fsync}; sequencer and integrator run meanwhile, in the same process as the writers.`,
            "Each entry names a user and an address, which go to the side table under salts of their own; while many come, the log is signed twice a second.",
            "Furthest behind: entries committed and not yet under a signed checkpoint, the most at any look.",
          ],
        },
      ],
    };
  } finally {
    await auditLog.stop();
    await events.stop();
    await database.close();
    await rm(directory, { recursive: true, force: true });
  }
}

type BenchTables = { bench_rows: { id: number; value: number } };

interface Measurement {
  database: DatabaseHandle;
  clock: Clock;
  writers: number;
  isAudited: boolean;
  seconds: number;
  record: ReturnType<typeof createAudit>["record"];
  /** Of the log that is signed. */
  size(): Promise<number>;
}

interface Measured {
  done: number;
  tookMs: number;
  node: number;
  postgres: number;
  behind: number;
  caughtUpMs: number;
}

async function measure(measurement: Measurement): Promise<Measured> {
  const { database, clock, writers, isAudited, seconds, record, size } = measurement;
  const { db } = database;
  const base = await size();
  const before = { all: cpuSecondsOf(process.pid), node: nodeCpuSeconds() };
  const startedMs = clock.monotonicMs();
  const endMs = startedMs + seconds * 1_000;
  let done = 0;
  let behind = 0;
  const write = async (writer: number): Promise<void> => {
    for (let nth = 0; clock.monotonicMs() < endMs; nth += 1) {
      const id = (writer * 151 + nth) % 10_000;
      await db.transaction().execute(async (tx) => {
        await tx
          .withTables<BenchTables>()
          .updateTable("bench_rows")
          .set((row) => ({ value: row("value", "+", 1) }))
          .where("id", "=", id)
          .execute();
        if (isAudited) await record(tx, entryOf(writer, nth));
      });
      done += 1;
    }
  };
  const look = async (): Promise<void> => {
    while (clock.monotonicMs() < endMs) {
      const committed = done;
      behind = Math.max(behind, committed - ((await size()) - base));
      await clock.sleep(LOOK_MS);
    }
  };
  await Promise.all([
    ...(isAudited ? [look()] : []),
    ...Array.from({ length: writers }, (_, writer) => write(writer)),
  ]);
  const tookMs = clock.monotonicMs() - startedMs;
  const writtenMs = clock.monotonicMs();
  while (isAudited && (await size()) - base < done) await clock.sleep(LOOK_MS / 4);
  const caughtUpMs = clock.monotonicMs() - writtenMs;
  const node = nodeCpuSeconds() - before.node;
  const postgres = cpuSecondsOf(process.pid) - before.all - node;
  return { done, tookMs, node, postgres, behind, caughtUpMs };
}

function sumOf(rounds: readonly Measured[], of: (each: Measured) => number): number {
  return rounds.reduce((total, each) => total + of(each), 0);
}

/** Committed in a second. */
function rateOf(rounds: readonly Measured[]): number {
  const seconds = sumOf(rounds, (each) => each.tookMs) / 1_000;
  return Math.round(sumOf(rounds, (each) => each.done) / seconds);
}

function inWords(rounds: readonly Measured[]): string[] {
  const done = sumOf(rounds, (each) => each.done);
  const per1000 = (seconds: number): string => ((seconds / done) * 1_000).toFixed(3);
  const [node, postgres] = [sumOf(rounds, (each) => each.node), sumOf(rounds, (each) => each.postgres)];
  const behind = Math.max(...rounds.map((each) => each.behind));
  const caughtUpMs = Math.max(...rounds.map((each) => each.caughtUpMs));
  const lag = behind === 0 ? ["", ""] : [`${behind} entries`, `${(caughtUpMs / 1_000).toFixed(2)} s`];
  return [per1000(node + postgres), per1000(node), per1000(postgres), ...lag];
}

function nodeCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function entryOf(writer: number, nth: number) {
  return {
    actor: { type: "user", id: `usr_${writer}`, name: `Writer ${writer}` },
    action: "bench.row_altered",
    resource: { type: "row", id: `row_${nth}` },
    environment: "production",
    service: "shop",
    before: { value: nth },
    after: { value: nth + 1 },
    address: "192.0.2.7",
    requestId: `req_${nth}`,
  };
}
