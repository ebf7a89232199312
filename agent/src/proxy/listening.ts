import { Server as NetServer } from "node:net";

/** As many connections as the kernel allows wait while a worker that was killed is replaced. */
const BACKLOG = 4096;

interface DrainTimes {
  /** After it whatever is left is cut off. */
  timeoutMs: number;
  /** A connection that stays idle for so long is closed without waiting for its next request. */
  idleGraceMs: number;
}

/** A server that accepts on a socket of the parent. */
export interface Listener {
  server: NetServer;
  /** Tells clients that have a way to be told that this worker ends. */
  announceEnd(): void;
  closeIdle(): void;
  closeAll(): void;
}

/** Accepts on an inherited descriptor, which stays open in the parent when this process ends. */
export function listenOn(server: NetServer, descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ fd: descriptor, backlog: BACKLOG }, () => {
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
export async function drain(listeners: Listener[], { timeoutMs, idleGraceMs }: DrainTimes): Promise<void> {
  for (const each of listeners) each.announceEnd();
  const idle = setTimeout(() => listeners.forEach((each) => each.closeIdle()), idleGraceMs);
  const limit = setTimeout(() => listeners.forEach((each) => each.closeAll()), timeoutMs);
  await Promise.all(listeners.map(({ server }) => closed(server)));
  clearTimeout(idle);
  clearTimeout(limit);
}

function closed(server: NetServer): Promise<void> {
  return new Promise((resolve) => NetServer.prototype.close.call(server, () => resolve()));
}
