import { randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
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
const SECONDS = 10;
const LOOK_MS = 100;
/** The pool of the server has 20; the bench lets more transactions commit together. */
const CONNECTIONS = 40;

/** Transactions that alter a row and record it, while the log over them is written and signed. */
export async function run(): Promise<BenchReport> {
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
    const results: (string | number)[][] = [];
    for (const writers of WRITERS)
      results.push(await measure({ database, clock, writers, record: audit.record, auditLog }));
    return {
      tables: [
        {
          title: "Audited transactions: an update, its audit row, a commit",
          columns: [
            "writers",
            "per second",
            "CPU s per 1,000",
            "of it Node",
            "of it PostgreSQL",
            "furthest behind",
            "caught up after",
          ],
          rows: results,
          notes: [
            `Embedded PostgreSQL, fsync ${rows[0]?.fsync}; sequencer and integrator run meanwhile, in the same process as the writers.`,
            "Each entry names a user and an address, which go to the side table under salts of their own.",
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
  record: ReturnType<typeof createAudit>["record"];
  auditLog: ReturnType<typeof createAuditLog>;
}

async function measure({
  database,
  clock,
  writers,
  record,
  auditLog,
}: Measurement): Promise<(string | number)[]> {
  const { db } = database;
  const base = (await auditLog.status()).size;
  const before = { all: cpuSecondsOf(process.pid), node: nodeCpuSeconds() };
  const startedMs = clock.monotonicMs();
  const endMs = startedMs + SECONDS * 1_000;
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
        await record(tx, entryOf(writer, nth));
      });
      done += 1;
    }
  };
  const look = async (): Promise<void> => {
    while (clock.monotonicMs() < endMs) {
      const committed = done;
      const { size } = await auditLog.status();
      behind = Math.max(behind, committed - (size - base));
      await clock.sleep(LOOK_MS);
    }
  };
  const looking = look();
  await Promise.all([looking, ...Array.from({ length: writers }, (_, writer) => write(writer))]);
  const tookMs = clock.monotonicMs() - startedMs;
  const writtenMs = clock.monotonicMs();
  while ((await auditLog.status()).size - base < done) await clock.sleep(LOOK_MS / 4);
  const caughtUpMs = clock.monotonicMs() - writtenMs;
  const node = nodeCpuSeconds() - before.node;
  const all = cpuSecondsOf(process.pid) - before.all;
  const per1000 = (seconds: number): string => ((seconds / done) * 1_000).toFixed(3);
  return [
    ...[writers, Math.round(done / (tookMs / 1_000)), per1000(all), per1000(node), per1000(all - node)],
    ...[`${behind} entries`, `${(caughtUpMs / 1_000).toFixed(2)} s`],
  ];
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
