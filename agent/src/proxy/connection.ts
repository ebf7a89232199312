import { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

export interface ConnectionLimit {
  /** To be called with every connection of a client. */
  track(socket: Socket): void;
  /** Its requests are to be refused: it came when as many as allowed were there. */
  isExcess(socket: Socket): boolean;
}

/** Tells the connections that are too many, so that they are told so instead of being cut. */
export function createConnectionLimit(limit: number): ConnectionLimit {
  const excess = new Set<Socket>();
  let open = 0;
  return {
    track(socket) {
      open += 1;
      if (open > limit) excess.add(socket);
      socket.once("close", () => {
        open -= 1;
        excess.delete(socket);
      });
    },
    isExcess: (socket) => excess.size > 0 && excess.has(socket),
  };
}

/**
 * What a connection is busy answering, null when it is idle. Node keeps it there and tells it nowhere else.
 */
export function answerUnderWay(connection: Duplex): ServerResponse | null {
  const message: unknown = Reflect.get(connection, "_httpMessage");
  return message instanceof ServerResponse ? message : null;
}
