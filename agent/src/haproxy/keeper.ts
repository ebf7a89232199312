import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { readSaved, serveWorkerControl } from "../proxy/worker-control.ts";
import type { WorkerCounters, WorkerHttps, WorkerRouting, WorkerStatus } from "../proxy/worker-protocol.ts";
import type { Worker } from "../proxy/worker.ts";
import type { Log } from "../system/log.ts";
import { createEngine } from "./engine.ts";
import { LOG_SOCKET } from "./engine-files.ts";
import { createEngineCounts } from "./engine-counts.ts";
import type { KeeperOptions } from "./keeper-options.ts";
import { receiveLog } from "./log-receiver.ts";

/** Keeps HAProxy and speaks for it: to the agent it is a proxy worker like any other. */
export async function startKeeper(options: KeeperOptions, log: Log): Promise<Omit<Worker, "handOver">> {
  const { runtimeDirectory, restarts } = options;
  const bootId = randomUUID();
  const counts = createEngineCounts({ nowMs: () => performance.now(), random: Math.random });
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
  const control = await serveWorkerControl(options, { status, counters, applyRouting, applyHttps });
  const saved = readSaved(options.routingFile) as WorkerRouting | null;
  if (saved && !routing) await applyRouting(saved).catch(() => {});

  return {
    untilSucceeded: control.untilSucceeded,
    async stop() {
      await engine.stop();
      await control.close();
      receiver.close();
    },
  };
}
