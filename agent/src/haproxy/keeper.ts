import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { untilReplaced } from "../proxy/successor.ts";
import type { WorkerCounters, WorkerHttps, WorkerRouting, WorkerStatus } from "../proxy/worker-protocol.ts";
import type { Worker } from "../proxy/worker.ts";
import type { Log } from "../system/log.ts";
import { serveJson } from "../system/unix-server.ts";
import { createEngine } from "./engine.ts";
import { LOG_SOCKET } from "./engine-files.ts";
import { createEngineCounts } from "./engine-counts.ts";
import type { KeeperOptions } from "./keeper-options.ts";
import { receiveLog } from "./log-receiver.ts";

const MAX_DOCUMENT_BYTES = 8 * 1024 * 1024;
const SUCCESSOR_TIMEOUT_MS = 60_000;

/** Keeps HAProxy and speaks for it: to the agent it is a proxy worker like any other. */
export async function startKeeper(options: KeeperOptions, log: Log): Promise<Worker> {
  const { runtimeDirectory, slot, restarts, isSocketShared } = options;
  const bootId = randomUUID();
  const counts = createEngineCounts(() => performance.now());
  const receiver = await receiveLog(join(runtimeDirectory, LOG_SOCKET), counts.message);
  const engine = createEngine(options, counts, log);
  let routing: WorkerRouting | null = null;
  let httpsRevision: number | null = null;

  async function applyRouting(next: WorkerRouting): Promise<WorkerStatus> {
    if (routing && next.revision < routing.revision) return status();
    try {
      await engine.apply(next);
    } catch (error) {
      log.error({ error: String(error) }, "a routing table could not be put in force");
      throw error;
    }
    // Two tables may overtake each other on their way here: the newer one is named.
    if (!routing || next.revision > routing.revision) routing = next;
    return status();
  }

  async function status(): Promise<WorkerStatus> {
    const instances = await engine.inflight();
    return {
      bootId,
      pid: process.pid,
      restarts,
      revision: routing?.revision ?? null,
      generation: routing?.generation ?? null,
      httpsRevision,
      inflight: Object.values(instances).reduce((sum, each) => sum + each, 0),
      instances,
      streams: {},
    };
  }

  /** TLS is the Node worker's. */
  function applyHttps({ revision }: WorkerHttps): Promise<WorkerStatus> {
    httpsRevision = Math.max(revision, httpsRevision ?? 0);
    return status();
  }

  async function counters(): Promise<WorkerCounters> {
    return { ...(await status()), ...counts.snapshot() };
  }

  // In this order: a table that the agent makes while we start is either in the file or pushed to the socket.
  const controlPath = join(runtimeDirectory, `proxy-${slot}.sock`);
  const control = await serveJson({
    path: controlPath,
    maxBodyBytes: MAX_DOCUMENT_BYTES,
    routes: {
      "GET /v1/status": status,
      "GET /v1/counters": counters,
      "PUT /v1/routing": ({ body }) => applyRouting(body as WorkerRouting),
      "PUT /v1/https": ({ body }) => applyHttps(body as WorkerHttps),
    },
  });
  const saved = readSaved(options.routingFile, log);
  if (saved && !routing) {
    await applyRouting(saved).catch(() => {});
  }

  return {
    untilSucceeded: () =>
      isSocketShared ? untilReplaced(controlPath, SUCCESSOR_TIMEOUT_MS) : Promise.resolve(),
    async stop() {
      await engine.stop();
      await control.close();
      receiver.close();
    },
  };
}

/** What the agent saved last; without it, or with a damaged file, the agent's next push is waited for. */
function readSaved(path: string, log: Log): WorkerRouting | null {
  if (!existsSync(path)) return null;
  try {
    return JSON.parse(readFileSync(path, "utf8")) as WorkerRouting;
  } catch (error) {
    log.error({ path, error: String(error) }, "the saved routing table is damaged and is left aside");
    return null;
  }
}
