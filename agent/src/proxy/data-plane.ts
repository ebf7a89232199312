import { createServer, type RequestListener, type Server } from "node:http";
import { Server as NetServer } from "node:net";
import { mayUpgrade } from "./upgrade.ts";
import type { ProxyLimits } from "./worker-protocol.ts";

/** Connections beyond the limit that are still accepted, to be told that they are too many. */
const TOLD_CONNECTIONS = 1024;
const CHECK_INTERVAL_MS = 5000;
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/**
 * Once stopping, a connection that stays idle for this long is closed without waiting for its next request.
 */
const IDLE_GRACE_MS = 2000;

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
  server.maxConnections = limits.connections + TOLD_CONNECTIONS;
  // All of them are read; the limit is held by the handler, which refuses instead of cutting them off.
  server.maxHeadersCount = 0;
  return server;
}

/** Accepts on an inherited descriptor, which stays open in the parent when this process ends. */
export function listenOn(server: Server, descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ fd: descriptor }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/**
 * http.Server.close() would hang up on idle connections whose next request
 * is already on its way; closing only the listener lets each connection
 * end with its next answer ("Connection: close"), so that nothing is lost.
 */
export function drain(server: Server, timeoutMs: number): Promise<void> {
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
