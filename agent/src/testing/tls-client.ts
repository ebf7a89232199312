import { once } from "node:events";
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { connect as connectHttp2, type ClientHttp2Session } from "node:http2";
import { Agent, request } from "node:https";
import { connect, type TLSSocket } from "node:tls";

export interface TlsAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** The host names of the certificate that was shown. */
  names: string;
  /** Tells connections apart. */
  localPort: number;
}

interface TlsRequest {
  port: number;
  /** Named in SNI and as Host. */
  host: string;
  path?: string;
  method?: string;
  headers?: OutgoingHttpHeaders;
  body?: string;
  agent?: Agent;
}

/** One request over HTTP/1.1 and TLS. Any certificate will do: the test looks at it itself. */
export async function askTls(options: TlsRequest): Promise<TlsAnswer> {
  const { port, host, path = "/", method = "GET", headers = {}, body, agent = new Agent() } = options;
  const sent = request({
    ...{ host: "127.0.0.1", port, servername: host, path, method, agent },
    headers: { host, ...headers },
    rejectUnauthorized: false,
  });
  sent.end(body);
  const [response] = await once(sent, "response");
  const socket = response.socket as TLSSocket;
  const names = socket.getPeerX509Certificate()?.subjectAltName ?? "";
  const { localPort = 0 } = socket;
  const chunks: Buffer[] = await response.toArray();
  return {
    status: response.statusCode,
    headers: response.headers,
    body: Buffer.concat(chunks),
    names,
    localPort,
  };
}

/** A session of HTTP/2 over TLS. */
export function openHttp2(port: number, host: string): ClientHttp2Session {
  const createConnection = () =>
    connect({
      ...{ host: "127.0.0.1", port, servername: host, ALPNProtocols: ["h2"] },
      rejectUnauthorized: false,
    });
  const session = connectHttp2(`https://${host}`, { createConnection });
  session.on("error", () => {});
  return session;
}

/** One request of a session. */
export async function askHttp2(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body?: string,
): Promise<Omit<TlsAnswer, "names" | "localPort">> {
  const stream = session.request(headers, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  const [answered] = (await once(stream, "response")) as [IncomingHttpHeaders & { ":status": number }];
  const chunks: Buffer[] = await stream.toArray();
  return { status: answered[":status"], headers: answered, body: Buffer.concat(chunks) };
}
