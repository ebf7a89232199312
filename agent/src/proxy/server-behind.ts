import { chmodSync, renameSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";

/** proxy-protocol.txt, section 2.2. */
const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const FIXED_BYTES = 16;
const IPV4 = 1;
const IPV6 = 2;
const HEADER_TIMEOUT_MS = 3000;

export interface ProxyHeader {
  /** Null where the sender speaks for itself. */
  address: string | null;
  /** Of the header: what follows are the client's own bytes. */
  bytes: number;
}

/** "more": not all of it is here. Null: this is none. */
export function readProxyHeader(data: Buffer): ProxyHeader | "more" | null {
  const begin = data.subarray(0, SIGNATURE.length);
  if (!begin.equals(SIGNATURE.subarray(0, begin.length))) return null;
  if (data.length < FIXED_BYTES) return "more";
  const bytes = FIXED_BYTES + data.readUInt16BE(14);
  if (data.length < bytes) return "more";
  return { bytes, address: addressOf((data[13] ?? 0) >> 4, data.subarray(FIXED_BYTES, bytes)) };
}

function addressOf(family: number, body: Buffer): string | null {
  if (family === IPV4 && body.length >= 12) return body.subarray(0, 4).join(".");
  if (family !== IPV6 || body.length < 36) return null;
  return Array.from({ length: 8 }, (_, index) => body.readUInt16BE(index * 2).toString(16)).join(":");
}

/**
 * A server for connections that another proxy of this account hands on: each begins with the address of the
 * client it stands for (PROXY protocol, version 2), and is then served as if it had come from there.
 */
export function createServerBehind(serve: (socket: Socket) => void): Server {
  return createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
    let seen: Buffer = Buffer.alloc(0);
    const hangUp = () => void socket.destroy();
    const limit = setTimeout(hangUp, HEADER_TIMEOUT_MS);
    socket.on("error", hangUp);
    socket.on("data", onData);
    socket.once("close", () => clearTimeout(limit));
    socket.resume();

    function onData(chunk: Buffer): void {
      seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
      const header = readProxyHeader(seen);
      if (header === "more") return;
      if (header === null) return hangUp();
      clearTimeout(limit);
      socket.off("data", onData);
      socket.off("error", hangUp);
      socket.pause();
      if (header.address !== null) Object.defineProperty(socket, "remoteAddress", { value: header.address });
      serve(socket);
      if (seen.length > header.bytes) socket.unshift(seen.subarray(header.bytes));
      socket.resume();
    }
  });
}

/** Listens on a UNIX socket that only this account may use, in the place of one that was left there. */
export function listenBehind(server: Server, path: string): Promise<void> {
  const ownPath = `${path}.${process.pid}`;
  rmSync(ownPath, { force: true });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(ownPath, () => {
      chmodSync(ownPath, 0o600);
      renameSync(ownPath, path);
      resolve();
    });
  });
}
