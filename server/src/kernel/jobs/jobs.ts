import { fromKysely, type Job } from "pg-boss";
import type { DatabaseHandle } from "../database/index.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { createBoss, DEFAULT_RETRIES, prepareQueue } from "./boss.ts";
import type { EnqueueOptions, JobOptions, Jobs } from "./job.ts";

export interface JobsDependencies {
  database: DatabaseHandle;
  log: Log;
  metrics: Metrics;
  /** How often it is looked whether a server died and left jobs behind. */
  superviseSeconds?: number;
}

/** A definition whose handler checks the data itself, so that definitions of all kinds fit one map. */
interface Definition {
  options: JobOptions<object>;
  run(job: Job<unknown>): Promise<void>;
}

const SUPERVISE_SECONDS = 15;
/** New jobs wake their worker; it looks by itself for those that fall due by time: retries and `runAfter`. */
const LOOK_SECONDS = 2;
const STOP_TIMEOUT_MS = 8_000;

/** Jobs by pg-boss. */
export function createJobs(dependencies: JobsDependencies): Jobs {
  const { database, log, superviseSeconds = SUPERVISE_SECONDS } = dependencies;
  const attempts = dependencies.metrics.counter({
    name: "mainstay_jobs_attempts_total",
    help: "Attempts of jobs: completed, failed, or exhausted (failed, and there is no further attempt).",
    labels: ["job", "outcome"],
  });
  const definitions = new Map<string, Definition>();
  const schedules = new Map<string, string>();
  const stopping = new AbortController();
  const boss = createBoss(database, superviseSeconds);
  boss.on("error", (error) => log.error({ error }, "jobs: the queue failed"));
  boss.on("warning", ({ message, data }) => log.warn({ reason: message, data }, "jobs: the queue warns"));

  const define: Jobs["define"] = (name, options, handler) => {
    if (definitions.has(name)) throw new Error(`the job ${name} is defined twice`);
    const run = async ({ id, data, retryCount, signal }: Job<unknown>): Promise<void> => {
      const until = AbortSignal.any([signal, stopping.signal]);
      await handler({ id, data: options.data.parse(data), attempt: retryCount + 1, signal: until });
    };
    definitions.set(name, { options, run });
  };

  async function enqueue(name: string, data: object, options: EnqueueOptions = {}): Promise<string | null> {
    const { tx, runAfter, singletonKey } = options;
    return boss.send(name, definition(name).options.data.parse(data), {
      // The queue lets one job wait for each key, and no key would be a key too.
      singletonKey: singletonKey ?? crypto.randomUUID(),
      ...(tx ? { db: fromKysely(tx) } : {}),
      ...(runAfter ? { startAfter: runAfter } : {}),
    });
  }

  function schedule(name: string, cron: string): void {
    definition(name);
    schedules.set(name, cron);
  }

  function definition(name: string): Definition {
    const found = definitions.get(name);
    if (!found) throw new Error(`there is no job named ${name}`);
    return found;
  }

  async function start(): Promise<void> {
    await boss.start();
    for (const [name, { options }] of definitions) await prepareQueue(boss, name, options);
    for (const [name, cron] of schedules) {
      await boss.schedule(name, cron, {}, { tz: "UTC", singletonKey: "scheduled" });
    }
    for (const { name } of await boss.getSchedules()) {
      if (!schedules.has(name)) await boss.unschedule(name);
    }
    for (const [name, each] of definitions) {
      for (let worker = 0; worker < (each.options.concurrency ?? 1); worker++) await work(name, each);
    }
  }

  async function work(name: string, each: Definition): Promise<void> {
    const options = { batchSize: 1, notifyPollingIntervalSeconds: LOOK_SECONDS };
    const worker: string = await boss.work(name, options, async ([job]: Job<unknown>[]) => {
      // Else a worker that has done one job sleeps until its next look, although more are waiting.
      boss.notifyWorker(worker);
      if (job) await attempt(each, job);
    });
  }

  async function attempt({ options, run }: Definition, job: Job<unknown>): Promise<void> {
    const { id, name, retryCount } = job;
    try {
      await Promise.race([run(job), rejectOnAbort(job.signal)]);
      attempts.add({ job: name, outcome: "completed" });
    } catch (error) {
      const isLast = retryCount >= (options.retries ?? DEFAULT_RETRIES);
      attempts.add({ job: name, outcome: isLast ? "exhausted" : "failed" });
      const fields = { job: name, id, attempt: retryCount + 1, error };
      if (isLast) log.error(fields, "job failed for good");
      else log.warn(fields, "job failed; it will be tried again");
      throw error;
    }
  }

  async function stop(): Promise<void> {
    stopping.abort(new Error("the server is stopping"));
    await boss.stop({ graceful: true, timeout: STOP_TIMEOUT_MS });
  }

  return { name: "jobs", define, enqueue, schedule, start, stop };
}

/** The signal of a job aborts while it runs only when its deadline is over or its claim is lost. */
function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void =>
      reject(new Error("the job took longer than its deadline, or was given to another server"));
    if (signal.aborted) fail();
    else signal.addEventListener("abort", fail, { once: true });
  });
}
