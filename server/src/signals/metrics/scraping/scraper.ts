import { AppError } from "@mainstay/api";
import { readFile } from "node:fs/promises";
import type { LongRunning } from "../../../kernel/actors.ts";
import type { Clock } from "../../../kernel/clock.ts";
import type { Log } from "../../../kernel/log.ts";
import type { Metrics } from "../../../kernel/metrics.ts";
import type { Pool } from "./pool.ts";
import type { ScrapeJob, TargetGroup } from "./scrape-job.ts";
import type { ScrapeSink } from "./scrape-sink.ts";
import { startSource, type Source } from "./source.ts";
import type { LoopDependencies } from "./target-loop.ts";
import type { PoolView, TargetsView } from "../routes/views.ts";

export interface ScraperDependencies {
  clock: Clock;
  log: Log;
  metrics: Metrics;
  sink: ScrapeSink;
  /** Shifts the scrapes of this server against those of others. */
  seed: string;
  /** Absolute path of a file in the form of Prometheus' configuration; null: only the sources are scraped. */
  file: string | null;
  nameServers?: readonly string[];
  /** How soon a file that was changed is read. */
  fileLookMs?: number;
  sources: readonly Source[];
  /** Where instances that run now tell figures of their own. */
  instances(): readonly TargetGroup[];
  /** Of sources and instances. */
  intervalMs: number;
}

/** As the room of problems takes it. */
export interface ScrapeProblem {
  kind: "scrape-failing";
  /** "file", or the name of a job. */
  subject: string;
  summary: string;
}

export interface Scraper extends LongRunning, TargetsView {
  /** Why the file as it is now is not in force, and whose targets cannot be found. */
  problems(): readonly ScrapeProblem[];
}

const LOOK_MS = 5_000;
const INSTANCES_LOOK_MS = 2_000;

/** Scrapes what a file says, which may change at any time, and what is always there. */
export function createScraper(dependencies: ScraperDependencies): Scraper {
  const {
    clock,
    log,
    metrics,
    sink,
    seed,
    file,
    fileLookMs = LOOK_MS,
    nameServers,
    sources,
    instances,
  } = dependencies;
  const refused = metrics.counter({
    name: "mainstay_metrics_scrape_refused_samples_total",
    help: "Samples of scrapes that the store did not take, by job and reason.",
    labels: ["job", "reason"],
  });
  const loops: LoopDependencies = {
    ...{ clock, log, sink, seed },
    onRefused: (job, reason, count) => refused.add({ job, reason }, count),
  };
  const pools = new Map<string, { text: string; pool: Pool }>();
  let own: Pool[] = [];
  let inForce: string | null = null;
  let problem: string | null = null;
  let stopLooking = () => {};
  let stopWaiting = () => {};
  let waiting: Promise<void> = Promise.resolve();
  let looking: Promise<void> = Promise.resolve();

  async function look(path: string): Promise<void> {
    try {
      const text = await readFile(path, "utf8");
      if (text === inForce) return void (problem = null);
      // Loaded only where there is something to scrape: nobody else pays for it.
      const { readScrapeFile } = await import("./read-scrape-file.ts");
      await apply(readScrapeFile(text, path));
      inForce = text;
      problem = null;
    } catch (error) {
      const reason = reasonOf(error);
      if (reason !== problem) log.warn({ file: path, reason }, "the file of scrapes is not in force");
      problem = reason;
    }
  }

  /** Jobs that are as they were go on undisturbed. */
  async function apply(jobs: readonly ScrapeJob[]): Promise<void> {
    const [{ startPool }, { discoveriesOf }] = await Promise.all([
      import("./pool.ts"),
      import("./discovery/discoveries.ts"),
    ]);
    const texts = new Map(jobs.map((job) => [job.name, JSON.stringify(job)]));
    for (const [name, { text, pool }] of pools) {
      if (texts.get(name) === text) continue;
      await pool.stop(true);
      pools.delete(name);
    }
    for (const job of jobs) {
      const text = texts.get(job.name) ?? "";
      if (pools.has(job.name)) continue;
      const discoveries = discoveriesOf(job, nameServers);
      pools.set(job.name, { text, pool: startPool(job, { ...loops, discoveries }) });
    }
    log.info({ file, jobs: jobs.length }, "the file of scrapes is in force");
  }

  /** Begins with the first instance that tells anything: until then nothing of it is loaded. */
  async function lookForInstances(): Promise<void> {
    if (instances().length === 0) return;
    stopWaiting();
    const { startInstances } = await import("./instances.ts");
    own.push(startInstances({ instances, intervalMs: dependencies.intervalMs, loops }));
  }

  return {
    name: "scraper",
    problems: () => [
      ...(problem === null ? [] : [problemOf("file", `The file of scrapes is not in force: ${problem}`)]),
      ...[...pools].flatMap(([job, { pool }]) => {
        const [first, ...others] = pool.problems();
        const more = others.length > 0 ? `, and ${others.length} more` : "";
        return first === undefined
          ? []
          : [problemOf(job, `Not all targets of ${job} can be found: ${first}${more}`)];
      }),
    ],
    pools: (): PoolView[] =>
      [...own, ...[...pools.values()].map(({ pool }) => pool)].map((pool) => pool.view()),
    async start() {
      own = sources.map((source) => startSource(source, dependencies.intervalMs, loops));
      stopWaiting = clock.every(INSTANCES_LOOK_MS, () => (waiting = lookForInstances()));
      if (file === null) return;
      await look(file);
      stopLooking = clock.every(fileLookMs, () => (looking = look(file)));
    },
    async stop() {
      stopLooking();
      stopWaiting();
      await Promise.all([looking, waiting]);
      const all = [...own, ...[...pools.values()].map(({ pool }) => pool)];
      await Promise.all(all.map((pool) => pool.stop(false)));
    },
  };
}

function problemOf(subject: string, summary: string): ScrapeProblem {
  return { kind: "scrape-failing", subject, summary };
}

function reasonOf(error: unknown): string {
  if (error instanceof AppError && error.errors.length > 0)
    return error.errors.map(({ path, message }) => `${path}: ${message}`).join("; ");
  return error instanceof Error ? error.message : String(error);
}
