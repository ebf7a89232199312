import { createServer, type RequestListener, type Server } from "node:http";
import { Server as NetServer } from "node:net";

const MAX_HEADER_BYTES = 32_768;
const MAX_CONNECTIONS = 8192;
const HEADERS_TIMEOUT_MS = 15_000;
const CHECK_INTERVAL_MS = 5000;
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/**
 * Once stopping, a connection that stays idle for this long is closed without waiting for its next request.
 */
const IDLE_GRACE_MS = 2000;

/** The HTTP server of clients, with its limits; not listening yet. */
export function createDataPlane(handler: RequestListener, onDrop: () => void): Server {
  const options = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    // Bodies may be of any length; one that stands still is cut off by its reader.
    requestTimeout: 0,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    noDelay: true,
    optimizeEmptyRequests: true,
  };
  const server = createServer(options, handler);
  server.maxConnections = MAX_CONNECTIONS;
  server.on("drop", onDrop);
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
