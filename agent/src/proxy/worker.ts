import { randomUUID } from "node:crypto";
import type { Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive } from "../system/process-table.ts";
import { createDressing } from "./answer-dressing.ts";
import { createClientErrorHandler } from "./client-errors.ts";
import { createTrust } from "./client.ts";
import { createConnectionLimit } from "./connection.ts";
import { acceptedConnections, asListener, createDataPlane } from "./data-plane.ts";
import { createEdge } from "./edge.ts";
import { createIdentities, type Identities } from "./identity.ts";
import { createLedger } from "./ledger.ts";
import { drain, listenOn } from "./listening.ts";
import { createPlainHeads } from "./plain-head.ts";
import { createRequestHandler, type HandlerContext } from "./request-handler.ts";
import { createRoutingTable } from "./routing-table.ts";
import { createServerBehind, listenBehind } from "./server-behind.ts";
import { createTlsCertificates, type TlsCertificates } from "./tls-certificates.ts";
import { createTlsFront } from "./tls-front.ts";
import { createUpgradeHandler } from "./upgrade.ts";
import { createWaitingRoom } from "./waiting-room.ts";
import { readSaved, serveWorkerControl } from "./worker-control.ts";
import { createWorkerCounts, type WorkerCounts } from "./worker-counts.ts";
import type {
  WorkerCounters,
  WorkerHttps,
  WorkerOptions,
  WorkerRouting,
  WorkerStatus,
} from "./worker-protocol.ts";

const LISTENING_SOCKET = 3;
const TLS_LISTENING_SOCKET = 4;
/**
 * Code that has just begun to run is slow: for so long a worker shares new connections with its successor.
 */
const WARM_UP_MS = 3000;
/**
 * Of a worker that ends: for so long an idle connection may come with its next request and be told to go.
 * Nobody waits for one that has a successor.
 */
const IDLE_GRACE_MS = { stopped: 2000, handedOver: 10_000 };

export interface Worker {
  /** Another is to take the slot: serves on until it does. */
  handOver(ask: () => void): Promise<void>;
  /** Stops accepting, ends what is in flight, and resolves when nothing is left or the drain time is over. */
  stop(): Promise<void>;
  /** The parent is gone: resolves when this worker is not needed any more. */
  untilSucceeded(): Promise<void>;
}

/**
 * One proxy worker: serves the inherited socket by the last table it was given, and tells what it counted.
 */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { runtimeDirectory, slot, restarts, limits } = options;
  const bootId = randomUUID();
  const ledger = createLedger({ directory: runtimeDirectory, slot, pid: process.pid, isAlive });
  const counts = createWorkerCounts(ledger);
  const nowMs = () => performance.now();
  const table = createRoutingTable(nowMs);
  const connections = createConnectionLimit(limits.connections);
  const trust = createTrust(options.trustedProxies);
  const certificates = createTlsCertificates();
  const edge = createEdge({ certificates, trust, isDraining: () => isDraining });
  let routing: WorkerRouting | null = null;
  let https: WorkerHttps | null = null;
  let identities: Identities = createIdentities(Buffer.alloc(0));
  let isListeningForTls = false;
  let isDraining = false;
  let idleGraceMs: number = IDLE_GRACE_MS.stopped;

  const context: HandlerContext = {
    ...counts,
    limits,
    connections,
    trust,
    writePlainHead: createPlainHeads(),
    waitingRoom: createWaitingRoom({ limit: limits.held, nowMs }),
    table,
    edge,
    dress: createDressing(edge),
    current: table.current,
    release: table.release,
    identities: () => identities,
    isDraining: () => isDraining,
  };
  const { server, front } = createServers({ context, certificates, hasTls: options.httpsFile !== null });
  const plain = createPlainListener(server, options.behind);

  async function applyRouting(next: WorkerRouting): Promise<WorkerStatus> {
    // Two tables may overtake each other on their way here: the newer one stays.
    if (routing && next.revision < routing.revision) return status();
    const isFirst = routing === null;
    if (next.cookieKey !== routing?.cookieKey)
      identities = createIdentities(Buffer.from(next.cookieKey, "base64"));
    routing = next;
    table.replace(next);
    // Without a table nothing is accepted: connections wait until there is one.
    if (isFirst && !isDraining) await plain.listen();
    await listenForTls();
    return status();
  }

  async function applyHttps(next: WorkerHttps): Promise<WorkerStatus> {
    if (https && next.revision < https.revision) return status();
    front?.use(next);
    certificates.replace(next);
    edge.replace(next);
    https = next;
    await listenForTls();
    return status();
  }

  /** TLS needs both: certificates, and a table of where requests go. */
  async function listenForTls(): Promise<void> {
    if (!front || isListeningForTls || !routing || !https || isDraining) return;
    isListeningForTls = true;
    await listenOn(front.server, TLS_LISTENING_SOCKET);
  }

  function status(): WorkerStatus {
    return {
      bootId,
      pid: process.pid,
      restarts,
      revision: routing?.revision ?? null,
      generation: routing?.generation ?? null,
      httpsRevision: https?.revision ?? null,
      inflight: counts.snapshot().inflight,
      instances: table.inflight(),
      streams: table.streams(),
    };
  }

  const counters = (): WorkerCounters => ({ ...status(), ...counts.snapshot(), arms: table.tallies() });

  // In this order: a table that the agent makes while we start is either in the file or pushed to the socket.
  const control = await serveWorkerControl(options, { status, counters, applyRouting, applyHttps });
  const savedHttps = readSaved(options.httpsFile) as WorkerHttps | null;
  if (savedHttps && !https) await applyHttps(savedHttps);
  const savedRouting = readSaved(options.routingFile) as WorkerRouting | null;
  if (savedRouting && !routing) await applyRouting(savedRouting);

  return {
    untilSucceeded: control.untilSucceeded,
    async handOver(ask) {
      await control.handOver(ask);
      await sleep(WARM_UP_MS);
      idleGraceMs = IDLE_GRACE_MS.handedOver;
    },
    async stop() {
      isDraining = true;
      table.drainStreams(options.drainTimeoutMs);
      await drain([plain, ...(front ? [front] : [])], { timeoutMs: options.drainTimeoutMs, idleGraceMs });
      await control.close();
      if (counts.snapshot().inflight === 0) ledger.close();
    },
  };
}

/** Plain connections: on the parent's socket, or behind the proxy that accepts there. */
function createPlainListener(server: Server, path: string | undefined) {
  if (path === undefined) return { ...asListener(server), listen: () => listenOn(server, LISTENING_SOCKET) };
  const behind = createServerBehind((socket) => server.emit("connection", socket));
  return { ...asListener(server), server: behind, listen: () => listenBehind(behind, path) };
}

interface ServersOptions {
  context: HandlerContext & Pick<WorkerCounts, "lost" | "refused">;
  certificates: TlsCertificates;
  hasTls: boolean;
}

/** The server of plain connections and, in front of it, the one that ends TLS; neither listens yet. */
function createServers({ context, certificates, hasTls }: ServersOptions) {
  const { limits, connections } = context;
  const handler = createRequestHandler(context);
  const onDrop = () => context.lost("connection_limit");
  const server = createDataPlane(handler, limits);
  server.on("upgrade", createUpgradeHandler(context));
  server.on("clientError", createClientErrorHandler(context.refused));
  server.on("connection", connections.track);
  server.on("drop", onDrop);
  const maxConnections = acceptedConnections(limits);
  const options = { plain: server, handler, certificates, maxConnections, onDrop, connections };
  return { server, front: hasTls ? createTlsFront(options) : null };
}
