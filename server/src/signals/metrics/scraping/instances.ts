import type { Discovery } from "./discovery/discovery.ts";
import { startPool, type Pool } from "./pool.ts";
import { scrapeFile } from "./scrape-file.ts";
import { jobsOf, type TargetGroup } from "./scrape-job.ts";
import type { LoopDependencies } from "./target-loop.ts";

/** How soon a new instance is scraped, and one that is gone is not any more. */
const LOOK_MS = 2_000;
/** A release whose metrics grow without bound must not take the store along. */
const SAMPLE_LIMIT = 10_000;
const POOL = "instances";

export interface InstancesRequest {
  instances(): readonly TargetGroup[];
  intervalMs: number;
  loops: LoopDependencies;
}

/** Figures that instances of services tell by themselves, as their `mainstay.yaml` says. */
export function startInstances({ instances, intervalMs, loops }: InstancesRequest): Pool {
  const discovery: Discovery = {
    refreshMs: LOOK_MS,
    look: async () => ({ groups: instances(), problems: [] }),
  };
  const written = scrapeFile.parse({ scrape_configs: [{ job_name: POOL, sample_limit: SAMPLE_LIMIT }] });
  const [job] = jobsOf(written, "/");
  if (!job) throw new Error("a file with one job has one");
  const timeoutMs = Math.min(job.timeoutMs, intervalMs);
  return startPool({ ...job, intervalMs, timeoutMs }, { ...loops, discoveries: [discovery] });
}
