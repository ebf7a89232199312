import { Agent, request, type IncomingMessage, type RequestOptions } from "node:http";

export interface UnixClient {
  /** Sends JSON and reads JSON. Rejects when nobody answers within the time. */
  call(method: string, path: string, options?: { body?: unknown; timeoutMs?: number }): Promise<UnixAnswer>;
  /** The answer as a stream, until the signal ends it. */
  open(path: string, signal?: AbortSignal): Promise<IncomingMessage>;
  close(): void;
}

export interface UnixAnswer {
  status: number;
  body: unknown;
}

const DEFAULT_TIMEOUT_MS = 5000;

const noCredentials = (): Record<string, string> => ({});

/**
 * HTTP with JSON over a UNIX socket; the counterpart of `serveJson`. The credentials are asked for each time.
 */
export function createUnixClient(socketPath: string, credentials = noCredentials): UnixClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });

  return {
    async call(method, path, { body, timeoutMs = DEFAULT_TIMEOUT_MS } = {}) {
      const payload = body === undefined ? undefined : JSON.stringify(body);
      const signal = AbortSignal.timeout(timeoutMs);
      const response = await send(
        { agent, socketPath, method, path, signal, headers: credentials() },
        payload,
      );
      const text = await readText(response);
      return { status: response.statusCode ?? 0, body: text === "" ? null : JSON.parse(text) };
    },
    open: (path, signal) =>
      send({ socketPath, method: "GET", path, headers: credentials(), ...(signal ? { signal } : {}) }),
    close: () => agent.destroy(),
  };
}

interface Sending extends RequestOptions {
  headers: Record<string, string>;
}

/** What a connection says that the other side had closed, for it was idle, when it was taken again. */
const CLOSED = new Set(["EPIPE", "ECONNRESET"]);

function send(options: Sending, payload?: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const length = payload === undefined ? {} : { "content-length": Buffer.byteLength(payload) };
    const outgoing = request({ ...options, headers: { ...options.headers, ...length } }, resolve);
    outgoing.once("error", (error: NodeJS.ErrnoException) => {
      // Every call can be repeated: a connection of its own tells whether anybody is there.
      if (outgoing.reusedSocket && CLOSED.has(error.code ?? ""))
        resolve(send({ ...options, agent: false }, payload));
      else reject(error);
    });
    outgoing.end(payload);
  });
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
