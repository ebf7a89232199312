import {
  compileRelabelling,
  labelsOfTarget,
  type TargetDraft,
  type TargetLabels,
} from "@mainstay/metrics/scrape";
import { createConnection } from "../connection/connection.ts";
import type { Discovery, Found } from "./discovery/discovery.ts";
import { FetchFailed, fetchText } from "./fetch-text.ts";
import type { ScrapeJob } from "./scrape-job.ts";
import type { TargetSpec } from "./scrape-sink.ts";
import { startTargetLoop, type LoopDependencies, type TargetLoop } from "./target-loop.ts";
import type { ActiveTarget, DroppedTarget, PoolView } from "../routes/views.ts";

export interface PoolDependencies extends LoopDependencies {
  /** What looks for the targets of the job, beside those that it names itself. */
  discoveries: readonly Discovery[];
}

/** The targets of one job, found and scraped. */
export interface Pool {
  view(): PoolView;
  /** What was found and is no target, and what cannot be looked for. */
  problems(): readonly string[];
  /** With `isGone` the job is no more, and its series end. */
  stop(isGone: boolean): Promise<void>;
}

/** Targets that relabelling leaves out are shown, up to this many of a job. */
const DROPPED_SHOWN = 1_000;
const CONNECTIONS_PER_TARGET = 2;

interface Scraped {
  url: string;
  discovered: Readonly<Record<string, string>>;
  spec: TargetSpec;
  loop: TargetLoop;
}

export function startPool(job: ScrapeJob, dependencies: PoolDependencies): Pool {
  const { clock, log, discoveries } = dependencies;
  const connection = createConnection(job.access, { socketsMax: CONNECTIONS_PER_TARGET });
  const settings = { ...job, jobName: job.name, relabel: compileRelabelling(job.relabelRules) };
  const stopping = new AbortController();
  const found = new Map<Discovery, Found>();
  const scraped = new Map<string, Scraped>();
  const ending = new Set<Promise<void>>();
  let dropped: DroppedTarget[] = [];
  let refused: string[] = [];
  let isCrowded = false;

  async function follow(discovery: Discovery): Promise<void> {
    while (!stopping.signal.aborted) {
      const before = found.get(discovery)?.problems.join();
      const now = await discovery.look();
      found.set(discovery, now);
      if (now.problems.length > 0 && now.problems.join() !== before)
        log.warn({ job: job.name, problems: now.problems }, "targets could not be looked for");
      if (!stopping.signal.aborted) update();
      await clock.sleep(discovery.refreshMs, stopping.signal).catch(() => undefined);
    }
  }

  function update(): void {
    const groups = [...job.groups, ...[...found.values()].flatMap((each) => each.groups)];
    const drafts = groups.flatMap(({ targets, labels }) => targets.map((address) => ({ address, labels })));
    const targets = drafts.map((draft: TargetDraft) => labelsOfTarget(draft, settings));
    const byId = new Map<string, TargetLabels>();
    for (const each of targets) if (isTarget(each.target)) byId.set(idOf(job.name, each.target), each);
    dropped = targets.filter(({ target }) => target === null).map((each) => droppedOf(job.name, each));
    refused = targets.flatMap(({ target }) => (typeof target === "string" ? [target] : []));
    isCrowded = job.limits.targets > 0 && byId.size > job.limits.targets;
    for (const [id, each] of scraped) {
      if (byId.has(id)) continue;
      scraped.delete(id);
      const end = each.loop.stop(true).finally(() => ending.delete(end));
      ending.add(end);
    }
    for (const [id, each] of byId) if (!scraped.has(id)) begin(id, each);
  }

  function begin(id: string, { target, discovered }: TargetLabels): void {
    if (!isTarget(target)) return;
    const spec = specOf(job, record(target.labels));
    const loop = startTargetLoop(
      { id, job: job.name, intervalMs: job.intervalMs, spec, ask: (signal) => ask(target.url, signal) },
      dependencies,
    );
    scraped.set(id, { url: target.url, discovered: record(discovered), spec, loop });
  }

  async function ask(url: string, signal: AbortSignal) {
    if (isCrowded) throw new FetchFailed(`the job has more targets than target_limit, ${job.limits.targets}`);
    const { timeoutMs, limits, followRedirects } = job;
    const { bodyBytes } = limits;
    return fetchText({ connection, url, timeoutMs, bodyBytes, followRedirects, signal });
  }

  function activeOf({ url, discovered, spec, loop }: Scraped): ActiveTarget {
    const { intervalMs, timeoutMs, name } = job;
    return { pool: name, url, discovered, labels: spec.labels, intervalMs, timeoutMs, ...loop.health() };
  }

  update();
  const following = discoveries.map(follow);
  return {
    view: () => ({
      name: job.name,
      active: [...scraped.values()].map(activeOf),
      dropped: dropped.slice(0, DROPPED_SHOWN),
      droppedCount: dropped.length,
    }),
    problems: () => [...refused, ...[...found.values()].flatMap((each) => each.problems)],
    async stop(isGone) {
      stopping.abort();
      await Promise.all([...scraped.values()].map(({ loop }) => loop.stop(isGone)));
      await Promise.all([...ending, ...following]);
      connection.close();
    },
  };
}

function isTarget(target: TargetLabels["target"]): target is Exclude<TargetLabels["target"], string | null> {
  return target !== null && typeof target !== "string";
}

/** Equal for targets that are scraped in the same way, of which one is enough. */
function idOf(jobName: string, { labels, url }: { labels: { key: string }; url: string }): string {
  return `${jobName} ${url} ${labels.key}`;
}

function droppedOf(pool: string, { discovered }: TargetLabels): DroppedTarget {
  return { pool, discovered: record(discovered) };
}

function record({ names, values }: { names: readonly string[]; values: readonly string[] }) {
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? ""]));
}

function specOf(job: ScrapeJob, labels: Record<string, string>): TargetSpec {
  const { honorLabels, honorTimestamps, metricRelabelRules, limits } = job;
  const { samples, label } = limits;
  return {
    origin: "outside",
    labels,
    honorLabels,
    honorTimestamps,
    relabelRules: metricRelabelRules,
    sampleLimit: samples,
    limits: label,
  };
}
