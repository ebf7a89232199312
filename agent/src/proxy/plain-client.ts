import type { Connect } from "./connect.ts";
import { PlainConnection, type ConnectionOwner, type PlainRequest } from "./plain-connection.ts";

/** Sends plain requests to one instance, over connections that are kept. */
export interface PlainClient {
  /** In its own time; the request's handler hears of everything. */
  send(request: PlainRequest): void;
  /** Closes all connections. */
  destroy(): void;
}

export interface PlainClientOptions {
  connect: Connect;
  /** Requests beyond as many connections wait for one. */
  maxConnections: number;
  nowMs: () => number;
}

/** What one read takes at most. Handed on only as copies, so all connections share it. */
const READ_BYTES = 65_536;
/** A longer one would go off at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Requests leave at the end of the turn of the event loop they came in, and a connection
 * rests for a whole turn before it is used again: bytes that nobody asked for have then been
 * seen, and ended it, before they could be taken for the answer to somebody else's request.
 */
export function createPlainClient({ connect, maxConnections, nowMs }: PlainClientOptions): PlainClient {
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  const connections = new Set<PlainConnection>();
  const waiting: PlainRequest[] = [];
  const idle: PlainConnection[] = [];
  const resting: PlainConnection[] = [];
  let isScheduled = false;
  let timer: NodeJS.Timeout | null = null;
  let timerDueMs = Infinity;

  const owner: ConnectionOwner = {
    nowMs,
    rest(connection) {
      resting.push(connection);
      schedule();
    },
    leave(connection) {
      if (!connections.delete(connection)) return;
      remove(idle, connection);
      remove(resting, connection);
      if (waiting.length > 0) schedule();
    },
  };

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(endTurn);
  }

  function endTurn(): void {
    isScheduled = false;
    const now = nowMs();
    let taken = 0;
    while (taken < waiting.length && (idle.length > 0 || connections.size < maxConnections)) {
      const request = waiting[taken];
      taken += 1;
      if (request) start(request, idle.pop(), now);
    }
    waiting.splice(0, taken);
    for (const each of resting.splice(0)) {
      each.idleFrom(now);
      watch(each);
      idle.push(each);
    }
    if (waiting.length > 0 && idle.length > 0) schedule();
  }

  function start(request: PlainRequest, connection: PlainConnection | undefined, now: number): void {
    if (!connection) return open(request);
    connection.send(request, now);
    watch(connection);
  }

  function open(request: PlainRequest): void {
    const connection = new PlainConnection(owner);
    connections.add(connection);
    const onRead = (size: number) => {
      connection.read(buffer.subarray(0, size));
      return true;
    };
    connect({ buffer, callback: onRead }, (error, socket) => {
      if (!socket) {
        owner.leave(connection);
        return request.handler.onResponseError(null, error);
      }
      connection.attach(socket);
      // Destroyed meanwhile: whoever wanted the answer has gone.
      if (!connections.has(connection)) return connection.close();
      connection.send(request, nowMs());
      watch(connection);
    });
  }

  /** One timer for all: it goes off when the first of them is due, as far as it knew when it was set. */
  function watch({ dueMs }: PlainConnection): void {
    if (dueMs >= timerDueMs) return;
    if (timer) clearTimeout(timer);
    timerDueMs = dueMs;
    timer = setTimeout(checkAll, Math.min(dueMs - nowMs(), LONGEST_TIMER_MS)).unref();
  }

  function checkAll(): void {
    timerDueMs = Infinity;
    const now = nowMs();
    for (const each of [...connections]) if (each.dueMs <= now) each.expire();
    for (const each of connections) watch(each);
  }

  return {
    send(request) {
      waiting.push(request);
      schedule();
    },
    destroy() {
      for (const each of [...connections]) each.close();
      if (timer) clearTimeout(timer);
    },
  };
}

function remove(list: PlainConnection[], connection: PlainConnection): void {
  const index = list.indexOf(connection);
  if (index >= 0) list.splice(index, 1);
}
