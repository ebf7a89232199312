import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { Server as NetServer } from "node:net";
import { join } from "node:path";
import { isAlive } from "../system/process-table.ts";
import { serveJson } from "../system/unix-server.ts";
import { createIdentities, type Identities } from "./identity.ts";
import { createLedger } from "./ledger.ts";
import { createRequestHandler } from "./request-handler.ts";
import { createRoutingTable } from "./routing-table.ts";
import type { WorkerCounters, WorkerOptions, WorkerRouting, WorkerStatus } from "./worker-protocol.ts";

const LISTENING_SOCKET = 3;
const MAX_HEADER_BYTES = 32_768;
const MAX_CONNECTIONS = 16_384;
const HEADERS_TIMEOUT_MS = 15_000;
const CHECK_INTERVAL_MS = 5000;
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/** Once stopping, a connection that stays idle for this long is closed without waiting for its next request. */
const IDLE_GRACE_MS = 2000;
const MAX_ROUTING_BYTES = 8 * 1024 * 1024;

export interface Worker {
  /** Stops accepting, ends what is in flight, and resolves when nothing is left or the drain time is over. */
  stop(): Promise<void>;
}

/** One proxy worker: serves the inherited socket by the last table it was given, and tells what it counted. */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const table = createRoutingTable(() => performance.now());
  const ledger = createLedger({
    directory: options.runtimeDirectory,
    slot: options.slot,
    pid: process.pid,
    isAlive,
  });
  const counts = { inflight: 0, aborted: 0, unrouted: 0 };
  const lost: Record<string, number> = ledger.orphaned > 0 ? { worker_killed: ledger.orphaned } : {};
  const bootId = randomUUID();
  let routing: WorkerRouting | null = null;
  let identities: Identities = createIdentities(Buffer.alloc(0));
  let isDraining = false;

  function count(reason: string): void {
    lost[reason] = (lost[reason] ?? 0) + 1;
  }

  function applyRouting(next: WorkerRouting): WorkerStatus {
    // Two tables may overtake each other on their way here: the newer one stays.
    if (routing && next.revision < routing.revision) return status();
    if (next.cookieKey !== routing?.cookieKey) identities = createIdentities(Buffer.from(next.cookieKey, "base64"));
    table.replace(next);
    routing = next;
    return status();
  }

  const status = (): WorkerStatus => ({
    bootId,
    pid: process.pid,
    restarts: options.restarts,
    revision: routing?.revision ?? null,
    generation: routing?.generation ?? null,
    inflight: counts.inflight,
    instances: table.inflight(),
  });

  const counters = (): WorkerCounters => ({
    ...status(),
    arms: table.tallies(),
    lost,
    aborted: counts.aborted,
    unrouted: counts.unrouted,
  });

  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: 0,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      noDelay: true,
      optimizeEmptyRequests: true,
    },
    createRequestHandler({
      table,
      identities: () => identities,
      isDraining: () => isDraining,
      current: table.current,
      release: table.release,
      lost: count,
      started() {
        counts.inflight += 1;
        ledger.started();
      },
      finished() {
        counts.inflight -= 1;
        ledger.finished();
      },
      aborted: () => void (counts.aborted += 1),
      unrouted: () => void (counts.unrouted += 1),
    }),
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.on("drop", () => count("connection_limit"));

  // In this order: a table that the agent makes while we start is either in the file or pushed to the socket.
  const control = await serveJson({
    path: join(options.runtimeDirectory, `proxy-${options.slot}.sock`),
    maxBodyBytes: MAX_ROUTING_BYTES,
    routes: {
      "GET /v1/status": status,
      "GET /v1/counters": counters,
      "PUT /v1/routing": ({ body }) => applyRouting(body as WorkerRouting),
    },
  });
  const saved = readSavedRouting(options.routingFile);
  if (!routing && saved) applyRouting(saved);
  await listen(server);

  return {
    async stop() {
      isDraining = true;
      await drain(server, options.drainTimeoutMs);
      await control.close();
      if (counts.inflight === 0) ledger.close();
    },
  };
}

function readSavedRouting(path: string): WorkerRouting | null {
  if (!existsSync(path)) return null;
  return JSON.parse(readFileSync(path, "utf8")) as WorkerRouting;
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ fd: LISTENING_SOCKET }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/**
 * http.Server.close() would hang up on idle connections whose next request is already on its way; closing only the
 * listener lets each connection end with its next answer ("Connection: close"), so that nothing is lost.
 */
function drain(server: Server, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const idle = setTimeout(() => server.closeIdleConnections(), IDLE_GRACE_MS);
    const limit = setTimeout(() => server.closeAllConnections(), timeoutMs);
    NetServer.prototype.close.call(server, () => {
      clearTimeout(idle);
      clearTimeout(limit);
      resolve();
    });
  });
}
