import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive } from "../system/process-table.ts";
import { serveJson } from "../system/unix-server.ts";
import { createDataPlane, drain, listenOn } from "./data-plane.ts";
import { createIdentities, type Identities } from "./identity.ts";
import { createLedger } from "./ledger.ts";
import { createRequestHandler } from "./request-handler.ts";
import { createRoutingTable } from "./routing-table.ts";
import { untilReplaced } from "./successor.ts";
import { createWorkerCounts } from "./worker-counts.ts";
import type { WorkerCounters, WorkerOptions, WorkerRouting, WorkerStatus } from "./worker-protocol.ts";

const LISTENING_SOCKET = 3;
const MAX_ROUTING_BYTES = 8 * 1024 * 1024;
/** An upgrade takes seconds; without a successor somebody has stopped the data plane. */
const SUCCESSOR_TIMEOUT_MS = 60_000;

export interface Worker {
  /** Stops accepting, ends what is in flight, and resolves when nothing is left or the drain time is over. */
  stop(): Promise<void>;
  /** The parent is gone: resolves when this worker is not needed any more. */
  untilSucceeded(): Promise<void>;
}

/**
 * One proxy worker: serves the inherited socket by the last table it was given, and tells what it counted.
 */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { runtimeDirectory, slot, restarts } = options;
  const bootId = randomUUID();
  const ledger = createLedger({ directory: runtimeDirectory, slot, pid: process.pid, isAlive });
  const counts = createWorkerCounts(ledger);
  const table = createRoutingTable(() => performance.now());
  let routing: WorkerRouting | null = null;
  let identities: Identities = createIdentities(Buffer.alloc(0));
  let isDraining = false;

  const handler = createRequestHandler({
    ...counts,
    table,
    current: table.current,
    release: table.release,
    identities: () => identities,
    isDraining: () => isDraining,
  });
  const server = createDataPlane(handler, () => counts.lost("connection_limit"));

  async function applyRouting(next: WorkerRouting): Promise<WorkerStatus> {
    // Two tables may overtake each other on their way here: the newer one stays.
    if (routing && next.revision < routing.revision) return status();
    const isFirst = routing === null;
    if (next.cookieKey !== routing?.cookieKey)
      identities = createIdentities(Buffer.from(next.cookieKey, "base64"));
    routing = next;
    table.replace(next);
    // Without a table nothing is accepted: connections wait until there is one.
    if (isFirst && !isDraining) await listenOn(server, LISTENING_SOCKET);
    return status();
  }

  function status(): WorkerStatus {
    return {
      bootId,
      pid: process.pid,
      restarts,
      revision: routing?.revision ?? null,
      generation: routing?.generation ?? null,
      inflight: counts.snapshot().inflight,
      instances: table.inflight(),
    };
  }

  const counters = (): WorkerCounters => ({ ...status(), ...counts.snapshot(), arms: table.tallies() });

  // In this order: a table that the agent makes while we start is either in the file or pushed to the socket.
  const controlPath = join(runtimeDirectory, `proxy-${slot}.sock`);
  const control = await serveJson({
    path: controlPath,
    maxBodyBytes: MAX_ROUTING_BYTES,
    routes: {
      "GET /v1/status": status,
      "GET /v1/counters": counters,
      "PUT /v1/routing": ({ body }) => applyRouting(body as WorkerRouting),
    },
  });
  const saved = readSavedRouting(options.routingFile);
  if (saved && !routing) await applyRouting(saved);

  return {
    // The socket of a service manager is served until the next
    // parent's worker does; any other dies with its parent.
    untilSucceeded: () =>
      options.isSocketShared ? untilReplaced(controlPath, SUCCESSOR_TIMEOUT_MS) : Promise.resolve(),
    async stop() {
      isDraining = true;
      await drain(server, options.drainTimeoutMs);
      await control.close();
      if (counts.snapshot().inflight === 0) ledger.close();
    },
  };
}

/**
 * The table the agent saved last; without one, or with a damaged one, the agent's next push is waited for.
 */
function readSavedRouting(path: string): WorkerRouting | null {
  if (!existsSync(path)) return null;
  try {
    return JSON.parse(readFileSync(path, "utf8")) as WorkerRouting;
  } catch (error) {
    process.stderr.write(`${path} is damaged and is left aside: ${String(error)}\n`);
    return null;
  }
}
