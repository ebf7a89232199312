import { Agent as PlainAgent, request as requestPlain, type IncomingMessage } from "node:http";
import { Agent as TlsAgent, request as requestTls } from "node:https";
import { readProof, readTlsOptions, type Access } from "./access.ts";

export interface OutgoingRequest {
  url: URL;
  method: "GET" | "POST";
  /** In lower case; they say what is asked, not who asks. */
  headers: Readonly<Record<string, string>>;
  body?: string | Uint8Array;
  /** Without the headers that prove who asks. */
  isAnonymous?: boolean;
  signal: AbortSignal;
}

/** Connections to other servers, kept open between requests. */
export interface Connection {
  /**
   * Resolves with the head of the answer; redirects are
   * answers. Throws with words, SendFailed where none came.
   */
  send(request: OutgoingRequest): Promise<IncomingMessage>;
  close(): void;
}

/**
 * Asks others with what `access` says. Its files are read
 * for each request, so they may be replaced meanwhile.
 */
export function createConnection(access: Access, { socketsMax }: { socketsMax: number }): Connection {
  // The agent keeps connections apart by their certificates, too: those with former ones serve no request.
  const plain = new PlainAgent({ keepAlive: true, maxSockets: socketsMax });
  const secure = new TlsAgent({ keepAlive: true, maxSockets: socketsMax });
  return {
    async send({ url, method, headers, body, isAnonymous = false, signal }) {
      const proof = isAnonymous ? {} : await readProof(access);
      const options = { method, headers: { ...proof, "user-agent": "mainstay", ...headers }, signal };
      const tls = url.protocol === "https:" ? await readTlsOptions(access) : null;
      const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
      const outgoing = tls
        ? requestTls(url, { ...options, ...tls, agent: secure }, resolve)
        : requestPlain(url, { ...options, agent: plain }, resolve);
      outgoing.on("error", (cause) => reject(new SendFailed(cause, outgoing.reusedSocket)));
      outgoing.end(body);
      return promise;
    },
    close() {
      plain.destroy();
      secure.destroy();
    },
  };
}

/** There was no answer. */
export class SendFailed extends Error {
  override name = "SendFailed";
  /** Whether the connection had served others before: the other side may have closed it just then. */
  readonly wasReused: boolean;

  constructor(cause: Error, wasReused: boolean) {
    // That of several addresses says nothing itself.
    const first: unknown = cause instanceof AggregateError ? cause.errors[0] : cause;
    super(first instanceof Error ? first.message : cause.message, { cause });
    this.wasReused = wasReused;
  }
}
