import type { LongRunning } from "../../../kernel/actors.ts";
import type { Clock } from "../../../kernel/clock.ts";
import type { Log } from "../../../kernel/log.ts";
import type { Metrics } from "../../../kernel/metrics.ts";
import { watchFile, type WatchedFile } from "../../../kernel/watched-file.ts";
import type { Pool } from "./pool.ts";
import type { ScrapeJob, TargetGroup } from "./scrape-job.ts";
import type { ScrapeSink } from "./scrape-sink.ts";
import { findingsOf } from "./findings-of.ts";
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
  /** The file that is in force, with whatever secrets it holds; null without one. */
  fileText(): string | null;
}

const INSTANCES_LOOK_MS = 2_000;

/** Scrapes what a file says, which may change at any time, and what is always there. */
export function createScraper(dependencies: ScraperDependencies): Scraper {
  const { clock, log, metrics, sink, seed, file, nameServers, sources, instances } = dependencies;
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
  let stopWaiting = () => {};
  let waiting: Promise<void> = Promise.resolve();

  const watched = file === null ? null : watch(file);

  function watch(path: string): WatchedFile {
    const { fileLookMs: lookMs } = dependencies;
    return watchFile({
      ...{ file: path, holds: "scrapes", clock, log, explain: findingsOf },
      ...(lookMs === undefined ? {} : { lookMs }),
      async apply(text) {
        // Loaded only where there is something to scrape: nobody else pays for it.
        const { readScrapeFile } = await import("./read-scrape-file.ts");
        await apply(readScrapeFile(text, path));
      },
    });
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
    fileText: () => watched?.text() ?? null,
    problems: () => [
      ...fileProblems(watched?.problem() ?? null),
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
      await watched?.start();
    },
    async stop() {
      stopWaiting();
      await Promise.all([watched?.stop(), waiting]);
      const all = [...own, ...[...pools.values()].map(({ pool }) => pool)];
      await Promise.all(all.map((pool) => pool.stop(false)));
    },
  };
}

function fileProblems(problem: string | null): ScrapeProblem[] {
  return problem === null ? [] : [problemOf("file", `The file of scrapes is not in force: ${problem}`)];
}

function problemOf(subject: string, summary: string): ScrapeProblem {
  return { kind: "scrape-failing", subject, summary };
}
