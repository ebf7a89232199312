import { createServer, type RequestListener, type Server } from "node:http";
import type { Listener } from "./listening.ts";

const MAX_HEADER_BYTES = 32_768;
/** Of each listening socket of a worker. */
export const MAX_CONNECTIONS = 8192;
const HEADERS_TIMEOUT_MS = 15_000;
const CHECK_INTERVAL_MS = 5000;
const KEEP_ALIVE_TIMEOUT_MS = 75_000;

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

/** The server of plain connections as one that can be drained. */
export function asListener(server: Server): Listener {
  return {
    server,
    announceEnd() {},
    closeIdle: () => server.closeIdleConnections(),
    closeAll: () => server.closeAllConnections(),
  };
}
