import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { openTestDatabase } from "../../../../tests/support/database.ts";
import { createCollector } from "../../../../tests/support/events.ts";
import { silentLog } from "../../../../tests/support/log.ts";
import { createSystemClock } from "../clock.ts";
import type { DatabaseHandle } from "../database/index.ts";
import { createMetrics } from "../metrics.ts";
import { createJobs, type Jobs } from "./index.ts";

const DYING_WORKER = fileURLToPath(new URL("../../../../tests/support/dying-worker.ts", import.meta.url));
const DATA = z.object({ index: z.number() });
const OPTIONS = { data: DATA, deadlineMs: 5_000 };

let database: DatabaseHandle & { url: string };
let jobs: Jobs;
let metrics: ReturnType<typeof createMetrics>;

beforeEach(async () => {
  database = await openTestDatabase();
  metrics = createMetrics({ clock: createSystemClock(), log: silentLog });
  jobs = createJobs({ database, log: silentLog, metrics, superviseSeconds: 1 });
});

afterEach(async () => {
  await jobs.stop();
  await database.close();
});

test("a job is done with the data it was given", async () => {
  const seen = createCollector<unknown>(1);
  jobs.define("count", OPTIONS, async ({ data, attempt }) => seen.add({ data, attempt }));
  await jobs.start();
  await jobs.enqueue("count", { index: 7 });
  await seen.full;
  expect(seen.items).toEqual([{ data: { index: 7 }, attempt: 1 }]);
});

test("a job exists if and only if its transaction is committed", async () => {
  const seen = createCollector<number>(1);
  jobs.define("count", OPTIONS, async ({ data }) => seen.add(data.index));
  await jobs.start();
  const failure = database.db.transaction().execute(async (tx) => {
    await jobs.enqueue("count", { index: 1 }, { tx });
    throw new Error("rolled back");
  });
  await expect(failure).rejects.toThrow("rolled back");
  await database.db.transaction().execute((tx) => jobs.enqueue("count", { index: 2 }, { tx }));
  await seen.full;
  expect(seen.items).toEqual([2]);
});

test("a backlog is worked off without pauses", async () => {
  const seen = createCollector<number>(300);
  jobs.define("count", { ...OPTIONS, concurrency: 3 }, async ({ data }) => seen.add(data.index));
  await jobs.start();
  const indices = Array.from({ length: 300 }, (_, index) => index);
  await Promise.all(indices.map((index) => jobs.enqueue("count", { index })));
  await seen.full;
  expect(seen.items.toSorted((a, b) => a - b)).toEqual(indices);
});

test("while one with the same key waits, no second job is added", async () => {
  jobs.define("count", OPTIONS, async () => {});
  await jobs.start();
  const later = new Date(Date.now() + 3_600_000);
  const options = { runAfter: later, singletonKey: "shop" };
  expect(await jobs.enqueue("count", { index: 1 }, options)).toEqual(expect.any(String));
  expect(await jobs.enqueue("count", { index: 2 }, options)).toBe(null);
  expect(await jobs.enqueue("count", { index: 3 }, { ...options, singletonKey: "blog" })).toEqual(
    expect.any(String),
  );
  expect(await jobs.enqueue("count", { index: 4 }, { runAfter: later })).toEqual(expect.any(String));
});

test("a failed job is tried again, and both outcomes are counted", async () => {
  const attempts = createCollector<number>(2);
  jobs.define("count", OPTIONS, async ({ attempt }) => {
    attempts.add(attempt);
    if (attempt === 1) throw new Error("not yet");
  });
  await jobs.start();
  await jobs.enqueue("count", { index: 1 });
  await attempts.full;
  await jobs.stop();
  expect(attempts.items).toEqual([1, 2]);
  const text = await metrics.render();
  expect(text).toContain('mainstay_jobs_attempts_total{job="count",outcome="failed"} 1');
  expect(text).toContain('mainstay_jobs_attempts_total{job="count",outcome="completed"} 1');
});

test("a job that fails in its last attempt is counted as exhausted and stays in the table", async () => {
  const attempts = createCollector<number>(1);
  jobs.define("count", { ...OPTIONS, retries: 0 }, async ({ attempt }) => {
    attempts.add(attempt);
    throw new Error("never");
  });
  await jobs.start();
  await jobs.enqueue("count", { index: 1 });
  await attempts.full;
  await jobs.stop();
  expect(await metrics.render()).toContain('mainstay_jobs_attempts_total{job="count",outcome="exhausted"} 1');
  const { rows } = await database.pool.query(
    "select state::text as state from jobs.job where name = 'count'",
  );
  expect(rows).toEqual([{ state: "failed" }]);
});

test("a job that takes longer than its deadline is told, and counts as failed", async () => {
  const aborted = Promise.withResolvers<boolean>();
  jobs.define("slow", { data: z.object({}), deadlineMs: 1_000, retries: 0 }, ({ signal }) => {
    signal.addEventListener("abort", () => aborted.resolve(signal.aborted));
    return new Promise(() => {});
  });
  await jobs.start();
  await jobs.enqueue("slow", {});
  expect(await aborted.promise).toBe(true);
  await jobs.stop();
  expect(await metrics.render()).toContain('mainstay_jobs_attempts_total{job="slow",outcome="exhausted"} 1');
});

test("a running job is told that the server stops, and the stop waits for it", async () => {
  const running = Promise.withResolvers<void>();
  let isTidiedUp = false;
  jobs.define("long", { data: z.object({}), deadlineMs: 60_000 }, async ({ signal }) => {
    running.resolve();
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    isTidiedUp = true;
  });
  await jobs.start();
  await jobs.enqueue("long", {});
  await running.promise;
  await jobs.stop();
  expect(isTidiedUp).toBe(true);
});

test("data of the wrong form is refused when a job is enqueued", async () => {
  jobs.define("count", OPTIONS, async () => {});
  await jobs.start();
  await expect(jobs.enqueue("count", { index: "seven" })).rejects.toThrow(z.ZodError);
  await expect(jobs.enqueue("unknown", {})).rejects.toThrow("there is no job named unknown");
});

test("schedules are those of the code, also after one was taken away", async () => {
  const empty = { data: z.object({}), deadlineMs: 1_000 };
  jobs.define("prune", empty, async () => {});
  jobs.define("drill", empty, async () => {});
  jobs.schedule("prune", "17 3 * * *");
  jobs.schedule("drill", "0 4 * * 0");
  await jobs.start();
  expect(await schedules()).toEqual({ drill: "0 4 * * 0", prune: "17 3 * * *" });

  const next = createJobs({
    database,
    log: silentLog,
    metrics: createMetrics({ clock: createSystemClock(), log: silentLog }),
  });
  next.define("prune", empty, async () => {});
  next.schedule("prune", "30 3 * * *");
  await next.start();
  expect(await schedules()).toEqual({ prune: "30 3 * * *" });
  await next.stop();
});

async function schedules(): Promise<Record<string, string>> {
  const { rows } = await database.pool.query<{ name: string; cron: string }>(
    "select name, cron from jobs.schedule order by name",
  );
  return Object.fromEntries(rows.map((row) => [row.name, row.cron]));
}

test("a job whose server was killed is done by another one", async () => {
  const seen = createCollector<unknown>(1);
  jobs.define("fatal", { data: z.object({}), deadlineMs: 60_000 }, async ({ attempt }) => seen.add(attempt));
  const worker = spawn(process.execPath, [DYING_WORKER, database.url], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => worker.once("exit", (_, signal) => resolve(signal)));
  expect(await ended).toBe("SIGKILL");
  // Puts the dead server's last sign of life as far back as it would be if the test had waited.
  await database.pool.query(
    "update jobs.job set heartbeat_on = heartbeat_on - interval '1 minute' where state = 'active'",
  );
  await jobs.start();
  await seen.full;
  expect(seen.items).toEqual([2]);
});

test("jobs arrive although the listening connection was cut", async () => {
  const seen = createCollector<number>(2);
  jobs.define("count", OPTIONS, async ({ data }) => seen.add(data.index));
  await jobs.start();
  await jobs.enqueue("count", { index: 1 });
  await database.pool.query(`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'mainstay listener'`);
  await jobs.enqueue("count", { index: 2 });
  await seen.full;
  expect(seen.items).toEqual([1, 2]);
});
