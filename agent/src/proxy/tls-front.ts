import type { RequestListener, Server } from "node:http";
import { createServer, type TLSSocket } from "node:tls";
import type { ConnectionLimit } from "./connection.ts";
import type { Listener } from "./listening.ts";
import type { TlsCertificates } from "./tls-certificates.ts";
import { createHttp2 } from "./tls-http2.ts";
import { ALPN_PROTOCOLS, HANDSHAKE_TIMEOUT_MS, SESSION_TIMEOUT_SECONDS, TLS_POLICY } from "./tls-policy.ts";
import type { WorkerHttps } from "./worker-protocol.ts";

interface TlsFrontOptions {
  /** The server of plain connections: it serves HTTP/1.1 over TLS too, with the same limits and handlers. */
  plain: Server;
  /** Serves HTTP/2. */
  handler: RequestListener;
  certificates: TlsCertificates;
  /** What is beyond is dropped, and told to onDrop. */
  maxConnections: number;
  onDrop: () => void;
  /** Holds the limit for HTTP/2; HTTP/1.1 passes it in the plain server. */
  connections: ConnectionLimit;
}

export interface TlsFront extends Listener {
  /** The certificate for unknown names, and the key that seals session tickets; alike in all workers. */
  use(https: Pick<WorkerHttps, "fallback" | "ticketKey">): void;
}

/**
 * Ends TLS. A connection is then given to the server of its protocol (ALPN, RFC 7301): HTTP/2 has one of its
 * own; HTTP/1.1 goes to the plain server as if it had accepted it, so whatever is attached there (requests,
 * upgrades, limits, time-outs) holds for both without being attached twice.
 */
export function createTlsFront(options: TlsFrontOptions): TlsFront {
  const { plain, handler, certificates, maxConnections, onDrop, connections } = options;
  const http2 = createHttp2(handler);
  const server = createServer({
    ...TLS_POLICY,
    ALPNProtocols: ALPN_PROTOCOLS,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    sessionTimeout: SESSION_TIMEOUT_SECONDS,
    noDelay: true,
    // node:tls takes undefined for "the default context", which its types leave out.
    SNICallback: (name, done) => done(null, certificates.contextOf(name) ?? undefined),
  });
  server.maxConnections = maxConnections;
  server.on("drop", onDrop);
  // A handshake that fails is the client's affair; the socket is closed by node:tls.
  server.on("tlsClientError", () => {});
  server.on("secureConnection", (socket: TLSSocket) => {
    if (socket.alpnProtocol !== "h2") return plain.emit("connection", socket);
    connections.track(socket);
    if (!connections.isExcess(socket)) return http2.serve(socket);
    onDrop();
    return socket.destroy();
  });

  return {
    server,
    use({ fallback, ticketKey }) {
      server.setSecureContext({ ...TLS_POLICY, cert: fallback.cert, key: fallback.key });
      server.setTicketKeys(Buffer.from(ticketKey, "base64"));
    },
    announceEnd: http2.announceEnd,
    closeIdle: http2.close,
    closeAll: http2.destroy,
  };
}
