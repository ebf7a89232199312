import { createConnection } from "node:net";
import type { buildConnector } from "undici";
import Pool from "undici/lib/dispatcher/pool.js";

const CONNECT_TIMEOUT_MS = 3000;
const MAX_CONNECTIONS = 2048;
/** Shorter than the 5 s after which node:http closes an idle connection by itself. */
const IDLE_TIMEOUT_MS = 4000;

/** One instance as this worker sees it, with its own pool of connections. */
export interface Upstream {
  readonly id: string;
  readonly port: number;
  readonly pool: Pool;
  inflight: number;
  state: "routed" | "draining" | "removed";
}

/** Opens nothing yet: connections are made as requests need them. */
export function createUpstream(id: string, port: number): Upstream {
  const pool = new Pool(`http://127.0.0.1:${port}`, {
    connect: (_options, callback) => connectTo(port, callback),
    connections: MAX_CONNECTIONS,
    pipelining: 1,
    keepAliveTimeout: IDLE_TIMEOUT_MS,
    keepAliveMaxTimeout: 60_000,
    bodyTimeout: 0,
    allowH2: false,
  });
  return { id, port, pool, inflight: 0, state: "routed" };
}

/** Loopback only, whatever the Host header says. */
function connectTo(port: number, callback: buildConnector.Callback): void {
  const socket = createConnection({ host: "127.0.0.1", port, noDelay: true });
  const refuse = (error: Error) => {
    socket.destroy();
    callback(error, null);
  };
  const onTimeout = () =>
    refuse(Object.assign(new Error("connect timed out"), { code: "UND_ERR_CONNECT_TIMEOUT" }));
  socket.setTimeout(CONNECT_TIMEOUT_MS, onTimeout);
  socket.once("error", refuse);
  socket.once("connect", () => {
    socket.setTimeout(0);
    socket.off("timeout", onTimeout);
    socket.off("error", refuse);
    callback(null, socket);
  });
}
