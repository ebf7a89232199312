import { existsSync } from "node:fs";
import { request, type IncomingMessage } from "node:http";

/** Where Docker and Podman listen unless told otherwise. */
const USUAL_SOCKETS = ["/var/run/docker.sock", "/run/podman/podman.sock"];
const TIMEOUT_MS = 60_000;

/** Nobody answers at the engine's socket, or there is none. */
export class EngineUnreachable extends Error {}

export interface EngineAnswer {
  status: number;
  body: unknown;
}

export interface EngineWish {
  body?: unknown;
  signal?: AbortSignal;
}

/** HTTP with JSON to a container engine. The paths are without a version: the engine's own is used. */
export interface EngineHttp {
  /** Rejects with EngineUnreachable, and with the engine's own words for every status from 400 but 404. */
  call(method: string, path: string, wish?: EngineWish): Promise<EngineAnswer>;
  /** Likewise; the answer as a stream. */
  open(method: string, path: string, wish?: EngineWish): Promise<IncomingMessage>;
}

/** The socket is looked for at every call: an engine may be installed while the agent runs. */
export function createEngineHttp(setting: string | undefined): EngineHttp {
  function findSocket(): string {
    const socket = setting ?? USUAL_SOCKETS.find((each) => existsSync(each));
    if (socket === undefined) throw new EngineUnreachable(`there is no ${USUAL_SOCKETS.join(" and no ")}`);
    return socket;
  }

  async function send(method: string, path: string, { body, signal }: EngineWish): Promise<IncomingMessage> {
    const socketPath = findSocket();
    const payload = body === undefined ? null : JSON.stringify(body);
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = {
        host: "engine",
        ...(payload === null ? {} : { "content-type": "application/json" }),
        "content-length": Buffer.byteLength(payload ?? ""),
      };
      const options = { socketPath, method, path, headers, agent: false, ...(signal ? { signal } : {}) };
      const outgoing = request(options, resolve);
      outgoing.once("error", (error) => reject(asUnreachable(socketPath, error)));
      outgoing.end(payload);
    });
    const status = response.statusCode ?? 0;
    if (status < 400 || status === 404) return response;
    throw new Error(wordsOf(await readJson(response), status));
  }

  return {
    async call(method, path, { signal = AbortSignal.timeout(TIMEOUT_MS), ...wish } = {}) {
      const response = await send(method, path, { signal, ...wish });
      const body = await readJson(response).catch((error: unknown) => {
        throw new EngineUnreachable("it went away in the middle of an answer", { cause: error });
      });
      return { status: response.statusCode ?? 0, body };
    },
    open: (method, path, wish = {}) => send(method, path, wish),
  };
}

function asUnreachable(socketPath: string, error: Error): Error {
  const code = "code" in error ? String(error.code) : error.message;
  return new EngineUnreachable(`nobody answers at ${socketPath} (${code})`, { cause: error });
}

/** Engines tell what is wrong as { message }. */
function wordsOf(body: unknown, status: number): string {
  const hasMessage = typeof body === "object" && body !== null && "message" in body;
  return hasMessage ? String(body.message) : `the container engine answered ${status}`;
}

/** What is no JSON is told as text. */
async function readJson(response: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString("utf8");
  try {
    return text === "" ? null : JSON.parse(text);
  } catch {
    return { message: text.trim() };
  }
}
