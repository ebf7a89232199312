import Pool from "undici/lib/dispatcher/pool.js";
import { createConnect } from "./connect.ts";
import { createEjection, type Ejection } from "./ejection.ts";
import { createPlainClient, type PlainClient } from "./plain-client.ts";

const MAX_CONNECTIONS = 2048;
/** Shorter than the 5 s after which node:http closes an idle connection by itself. */
const IDLE_TIMEOUT_MS = 4000;

/** An answer that has begun and goes on: a tunnel, a stream of events, a long body. */
export interface Stream {
  /** Ends what may end at any time: WebSockets and event streams. Any other answer goes on. */
  goAway(): void;
}

/** One instance as this worker sees it, with its own connections. */
export interface Upstream {
  readonly id: string;
  readonly port: number;
  /** For plain requests, which are most of them: it costs about a third of what the pool does. */
  readonly plain: PlainClient;
  /** For all others. */
  readonly pool: Pool;
  readonly ejection: Ejection;
  /** Those that outlived the turn of the event loop they began in. */
  readonly streams: Set<Stream>;
  /** How long its streams may go on once it is draining. */
  drainTimeoutMs: number;
  drainTimer: NodeJS.Timeout | null;
  /** The time is over: a stream that begins now goes at once. */
  isTimeUp: boolean;
  weight: number;
  /** What the round robin owes it. */
  credit: number;
  inflight: number;
  state: "routed" | "draining" | "removed";
}

/** Opens nothing yet: connections are made as requests need them. */
export function createUpstream(id: string, port: number): Upstream {
  const connect = createConnect(port);
  const pool = new Pool(`http://127.0.0.1:${port}`, {
    connect: (_options, callback) => connect(undefined, callback),
    connections: MAX_CONNECTIONS,
    pipelining: 1,
    keepAliveTimeout: IDLE_TIMEOUT_MS,
    keepAliveMaxTimeout: 60_000,
    bodyTimeout: 0,
    allowH2: false,
  });
  return {
    id,
    port,
    plain: createPlainClient({ connect, maxConnections: MAX_CONNECTIONS, nowMs: () => performance.now() }),
    pool,
    ejection: createEjection(),
    streams: new Set(),
    drainTimeoutMs: 0,
    drainTimer: null,
    isTimeUp: false,
    weight: 1,
    credit: 0,
    inflight: 0,
    state: "routed",
  };
}

/** Closes its connections; nothing is in flight. */
export function closeUpstream({ plain, pool }: Upstream): void {
  plain.destroy();
  void pool.destroy();
}

/** Tells its streams to go when their time is over; `limitMs` is the most that whoever asks can wait. */
export function drainStreams(upstream: Upstream, limitMs = Infinity): void {
  stopDraining(upstream);
  const goAway = () => {
    upstream.isTimeUp = true;
    for (const stream of upstream.streams) stream.goAway();
  };
  upstream.drainTimer = setTimeout(goAway, Math.min(upstream.drainTimeoutMs, limitMs));
}

export function stopDraining(upstream: Upstream): void {
  if (upstream.drainTimer) clearTimeout(upstream.drainTimer);
  upstream.drainTimer = null;
  upstream.isTimeUp = false;
}

export function addStream(upstream: Upstream, stream: Stream): void {
  upstream.streams.add(stream);
  if (upstream.isTimeUp) stream.goAway();
}
