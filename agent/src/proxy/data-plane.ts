import { createServer, type RequestListener, type Server } from "node:http";
import type { Listener } from "./listening.ts";
import { mayUpgrade } from "./upgrade.ts";
import type { ProxyLimits } from "./worker-protocol.ts";

/** Connections beyond the limit that are still accepted, to be told that they are too many. */
const TOLD_CONNECTIONS = 1024;
const CHECK_INTERVAL_MS = 5000;
const KEEP_ALIVE_TIMEOUT_MS = 75_000;

/** The HTTP server of clients, with its limits; not listening yet. */
export function createDataPlane(handler: RequestListener, limits: ProxyLimits): Server {
  const options = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headerTimeoutMs,
    // Bodies may be of any length; one that stands still is cut off by its reader.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(CHECK_INTERVAL_MS, limits.headerTimeoutMs),
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    noDelay: true,
    // The handler answers and counts what has no Host, or two.
    requireHostHeader: false,
    optimizeEmptyRequests: true,
    shouldUpgradeCallback: mayUpgrade,
  };
  const server = createServer(options, handler);
  server.maxConnections = acceptedConnections(limits);
  // All of them are read; the limit is held by the handler, which refuses instead of cutting them off.
  server.maxHeadersCount = 0;
  return server;
}

/** How many connections each listening socket of a worker accepts. */
export function acceptedConnections({ connections }: ProxyLimits): number {
  return connections + TOLD_CONNECTIONS;
}

/** The server of plain connections as one that can be drained. */
export function asListener(server: Server): Listener {
  return {
    server,
    announceEnd() {},
    closeIdle: () => server.closeIdleConnections(),
    closeAll: () => server.closeAllConnections(),
  };
}
