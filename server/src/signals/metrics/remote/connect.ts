import { readFile } from "node:fs/promises";
import { Agent as PlainAgent, request as requestPlain, type IncomingMessage } from "node:http";
import { Agent as TlsAgent, request as requestTls } from "node:https";
import { getCACertificates } from "node:tls";
import type { RemoteConfig, SecretSource } from "@mainstay/api";

export type ReadSecret = (source: SecretSource) => Promise<string>;

/** One request to the remote: a form makes it a POST. */
export interface RemoteRequest {
  /** Below `metrics.remote.url`. */
  path: string;
  form: string;
  acceptsGzip: boolean;
  signal: AbortSignal;
}

export interface Connection {
  /** Resolves with the head of the answer; redirects are answers. */
  send(request: RemoteRequest): Promise<IncomingMessage>;
  close(): void;
}

const SOCKETS_MAX = 32;
const FORM = "application/x-www-form-urlencoded";

/** Speaks to the remote with what the configuration gives it, and with nothing of whoever asks. */
export function connect(config: RemoteConfig & { url: string }, readSecret: ReadSecret): Connection {
  const base = config.url.replace(/\/+$/, "");
  const isTls = base.startsWith("https:");
  let agent: PlainAgent | TlsAgent | null = null;

  async function openAgent(): Promise<PlainAgent | TlsAgent> {
    const options = { keepAlive: true, maxSockets: SOCKETS_MAX };
    if (!isTls) return new PlainAgent(options);
    if (config.caFile === null) return new TlsAgent(options);
    const ca = [...getCACertificates("default"), await readFile(config.caFile, "utf8")];
    return new TlsAgent({ ...options, ca });
  }

  /** Read anew each time: a secret may be replaced while the server runs. */
  async function authorization(): Promise<{ authorization?: string }> {
    const { auth } = config;
    if (auth === null) return {};
    if ("bearer" in auth) return { authorization: `Bearer ${await readSecret(auth.bearer)}` };
    const pair = `${auth.basic.username}:${await readSecret(auth.basic.password)}`;
    return { authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
  }

  async function sendOnce(request: RemoteRequest): Promise<IncomingMessage> {
    const { path, form, acceptsGzip, signal } = request;
    const headers = {
      ...config.headers,
      ...{ accept: "application/json", "user-agent": "mainstay" },
      "accept-encoding": acceptsGzip ? "gzip" : "identity",
      ...(form === "" ? {} : { "content-type": FORM }),
      ...(await authorization()),
    };
    agent ??= await openAgent();
    const options = { method: form === "" ? "GET" : "POST", agent, headers, signal };
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const outgoing = (isTls ? requestTls : requestPlain)(`${base}${path}`, options, resolve);
    outgoing.once("error", (cause) => reject(new SendFailed(cause, outgoing.reusedSocket)));
    outgoing.end(form);
    return promise;
  }

  return {
    async send(request) {
      try {
        return await sendOnce(request);
      } catch (error) {
        // A connection that was kept may be closed by the other side just now; questions can be asked again.
        if (!(error instanceof SendFailed) || !error.wasReused || request.signal.aborted) throw error;
        return sendOnce(request);
      }
    },
    close: () => agent?.destroy(),
  };
}

class SendFailed extends Error {
  override name = "SendFailed";
  readonly wasReused: boolean;

  constructor(cause: Error, wasReused: boolean) {
    // That of several addresses says nothing itself.
    const first: unknown = cause instanceof AggregateError ? cause.errors[0] : cause;
    super(first instanceof Error ? first.message : cause.message, { cause });
    this.wasReused = wasReused;
  }
}
