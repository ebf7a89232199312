/** A server that is killed in the middle of a job: `node dying-worker.ts <database URL>`. */
import { z } from "zod";
import { createSystemClock } from "../../server/src/kernel/clock.ts";
import { openDatabase } from "../../server/src/kernel/database/index.ts";
import { createJobs } from "../../server/src/kernel/jobs/index.ts";
import { createMetrics } from "../../server/src/kernel/metrics.ts";
import { silentLog } from "./log.ts";

const clock = createSystemClock();
const unused = "/nonexistent";
const directories = { dataDirectory: unused, runtimeDirectory: unused };
const database = await openDatabase({ url: process.argv[2], ...directories, clock, log: silentLog });
const jobs = createJobs({ database, log: silentLog, metrics: createMetrics({ clock, log: silentLog }) });
jobs.define("fatal", { data: z.object({}), deadlineMs: 60_000 }, async () => {
  process.kill(process.pid, "SIGKILL");
});
await jobs.start();
await jobs.enqueue("fatal", {});
