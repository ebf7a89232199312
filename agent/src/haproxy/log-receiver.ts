import { createServer, type Server, type Socket } from "node:net";
import { listenBehind } from "../proxy/server-behind.ts";

const SPACE = 0x20;

export interface LogReceiver {
  close(): void;
}

/** Reads what HAProxy's ring sends: `<bytes> <message>` again and again (RFC 6587, section 3.4.1). */
export async function receiveLog(path: string, onMessage: (message: string) => void): Promise<LogReceiver> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    const read = createFrameReader(onMessage);
    sockets.add(socket);
    socket.on("data", (chunk) => {
      if (!read(chunk)) socket.destroy();
    });
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
  });
  await listenBehind(server, path);
  return {
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Takes chunks as they come, calls back with whole messages; false when the sender is out of step. */
export function createFrameReader(onMessage: (message: string) => void): (chunk: Buffer) => boolean {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    for (;;) {
      const space = rest.indexOf(SPACE, at);
      if (space === -1) break;
      const length = Number(rest.toString("latin1", at, space));
      if (!Number.isInteger(length)) return false;
      if (rest.length < space + 1 + length) break;
      onMessage(rest.toString("latin1", space + 1, space + 1 + length));
      at = space + 1 + length;
    }
    rest = rest.subarray(at);
    return true;
  };
}
