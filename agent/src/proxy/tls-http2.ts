import type { EventEmitter } from "node:events";
import type { RequestListener } from "node:http";
import {
  createServer,
  Http2ServerRequest,
  Http2ServerResponse,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
} from "node:http2";
import type { TLSSocket } from "node:tls";

const MAX_STREAMS = 128;
const MAX_HEADER_LIST_BYTES = 32_768;
const IDLE_TIMEOUT_MS = 75_000;

/**
 * A request of HTTP/2 in the words of HTTP/1.1, so that one handler serves both: no pseudo-header fields, the
 * authority as Host (RFC 9113, section 8.3.1), and a body of unknown length told by its transfer coding.
 */
class PlainRequest extends Http2ServerRequest {
  constructor(...given: ConstructorParameters<typeof Http2ServerRequest>) {
    super(...given);
    const [stream, headers, , rawHeaders] = given;
    Object.defineProperties(this, {
      headers: { value: plainHeaders(headers, stream.endAfterHeaders) },
      rawHeaders: { value: plainRawHeaders(rawHeaders, headers[":authority"]) },
    });
  }
}

/** HTTP/2 has no reason phrase (RFC 9113, section 8.3.2), and interim answers have their own call. */
class PlainResponse extends Http2ServerResponse<PlainRequest> {
  override writeHead(status: number, ...rest: unknown[]): this {
    const headers = rest.at(-1);
    return super.writeHead(status, typeof headers === "object" ? Object(headers) : {});
  }

  writeInformation(status: number, headers: string[]): void {
    const fields: Record<string, string[]> = {};
    for (let index = 0; index < headers.length; index += 2) {
      (fields[headers[index] ?? ""] ??= []).push(headers[index + 1] ?? "");
    }
    this.stream.additionalHeaders({ ":status": status, ...fields });
  }
}

function plainHeaders(headers: IncomingHttpHeaders, isEmpty: boolean): IncomingHttpHeaders {
  const plain: IncomingHttpHeaders = {};
  for (const [name, value] of Object.entries(headers)) if (!name.startsWith(":")) plain[name] = value;
  const authority = headers[":authority"];
  if (authority !== undefined) plain["host"] = authority;
  if (!isEmpty && plain["content-length"] === undefined) plain["transfer-encoding"] = "chunked";
  return plain;
}

function plainRawHeaders(raw: readonly string[], authority: string | undefined): string[] {
  const plain: string[] = [];
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? "";
    const value = raw[index + 1] ?? "";
    if (name === ":authority") plain.push("host", value);
    // Saying the same twice is allowed; another Host is left in, and refused as two are.
    else if (!name.startsWith(":") && !(name === "host" && value === authority)) plain.push(name, value);
  }
  return plain;
}

export interface Http2Front {
  /** Takes a connection that has agreed on HTTP/2. */
  serve(socket: TLSSocket): void;
  /**
   * Tells every client to go elsewhere with its next request; what is under way ends in peace. A request that
   * crosses this on its way counts as refused, and clients repeat it by themselves (RFC 9113, section 8.7).
   */
  announceEnd(): void;
  /** Closes each session with its last stream. */
  close(): void;
  destroy(): void;
}

/** HTTP/2 for TLS connections that are handed to it; serves by the handler of HTTP/1.1. */
export function createHttp2(handler: RequestListener): Http2Front {
  const sessions = new Set<Pick<ServerHttp2Session, "goaway" | "close" | "destroy">>();
  const options = {
    settings: { maxConcurrentStreams: MAX_STREAMS, maxHeaderListSize: MAX_HEADER_LIST_BYTES },
    Http2ServerRequest: PlainRequest,
    Http2ServerResponse: PlainResponse,
  };
  const server = createServer(options);
  // By the two classes above a handler of HTTP/1.1 gets what it knows, which types cannot say.
  const emitter: EventEmitter = server;
  emitter.on("request", handler);
  server.on("session", (session) => {
    let streams = 0;
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    session.on("stream", (stream) => {
      streams += 1;
      stream.once("close", () => (streams -= 1));
    });
    session.setTimeout(IDLE_TIMEOUT_MS, () => {
      if (streams === 0) session.close();
    });
  });
  // What a client does to its session ends that session and nothing else.
  server.on("sessionError", () => {});
  return {
    serve: (socket) => void server.emit("connection", socket),
    announceEnd: () => sessions.forEach((each) => each.goaway()),
    close: () => sessions.forEach((each) => each.close()),
    destroy: () => sessions.forEach((each) => each.destroy()),
  };
}
