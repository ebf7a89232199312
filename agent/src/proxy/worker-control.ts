import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { serveJson } from "../system/unix-server.ts";
import { untilReplaced } from "./successor.ts";
import type {
  WorkerCounters,
  WorkerHttps,
  WorkerOptions,
  WorkerRouting,
  WorkerStatus,
} from "./worker-protocol.ts";

const MAX_DOCUMENT_BYTES = 8 * 1024 * 1024;
/** An upgrade takes seconds; without a successor somebody has stopped the data plane. */
const SUCCESSOR_TIMEOUT_MS = 60_000;

type Answer<T> = T | Promise<T>;

/** What the agent can ask of whoever accepts the traffic. */
export interface WorkerControls {
  status(): Answer<WorkerStatus>;
  counters(): Answer<WorkerCounters>;
  applyRouting(routing: WorkerRouting): Answer<WorkerStatus>;
  applyHttps(https: WorkerHttps): Answer<WorkerStatus>;
}

type Place = Pick<WorkerOptions, "runtimeDirectory" | "slot" | "isSocketShared">;

/** The agent's way to a worker: its control socket, in the place of its slot. */
export async function serveWorkerControl(
  { runtimeDirectory, slot, isSocketShared }: Place,
  { status, counters, applyRouting, applyHttps }: WorkerControls,
) {
  const path = join(runtimeDirectory, `proxy-${slot}.sock`);
  const control = await serveJson({
    path,
    maxBodyBytes: MAX_DOCUMENT_BYTES,
    routes: {
      "GET /v1/status": status,
      "GET /v1/counters": counters,
      "PUT /v1/routing": ({ body }) => applyRouting(body as WorkerRouting),
      "PUT /v1/https": ({ body }) => applyHttps(body as WorkerHttps),
    },
  });
  return {
    close: () => control.close(),
    // The socket of a service manager is served until the next
    // parent's worker does; any other dies with its parent.
    untilSucceeded: () => (isSocketShared ? untilReplaced(path, SUCCESSOR_TIMEOUT_MS) : Promise.resolve()),
  };
}

/** What the agent saved last; without it, or with a damaged file, the agent's next push is waited for. */
export function readSaved(path: string | null): unknown {
  if (path === null || !existsSync(path)) return null;
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    process.stderr.write(`${path} is damaged and is left aside: ${String(error)}\n`);
    return null;
  }
}
