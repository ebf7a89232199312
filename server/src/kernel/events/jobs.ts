import { z } from "zod";
import type { Jobs } from "../jobs/index.ts";
import type { Events } from "./events.ts";

const DEADLINE_MS = 10 * 60_000;
const HOURLY = "17 * * * *";

/** Has events older than `keepMs` deleted every hour. */
export function schedulePruning(jobs: Jobs, events: Pick<Events, "prune">, keepMs: number): void {
  const options = { data: z.object({}), deadlineMs: DEADLINE_MS };
  jobs.define("events.prune", options, async () => {
    await events.prune(keepMs);
  });
  jobs.schedule("events.prune", HOURLY);
}
