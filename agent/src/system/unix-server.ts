import { chmodSync, renameSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

export interface Call {
  body: unknown;
  query: URLSearchParams;
  /** What stands in the path where the route has ":name". */
  params: string[];
  response: ServerResponse;
}

/** Returns the JSON to answer with, or undefined when it answers by itself. */
export type CallHandler = (call: Call) => unknown;

/** Thrown by a handler: answered as an RFC 9457 problem document. */
export class CallRefused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface JsonServer {
  close(): Promise<void>;
}

interface JsonServerOptions {
  path: string;
  maxBodyBytes: number;
  /** "GET /v1/things/:id" → handler. */
  routes: Record<string, CallHandler>;
  /** Why a call is refused before its body is read; null: it is let in. */
  refuse?: (call: string, authorization: string | undefined) => string | null;
}

/**
 * HTTP with JSON on a UNIX socket that only this account may use. Takes the
 * place of a socket left by another process, dead or on its way out: closing
 * removes the name a socket was made under, which must not be its successor's.
 */
export async function serveJson(options: JsonServerOptions): Promise<JsonServer> {
  const { path, maxBodyBytes, routes, refuse = () => null } = options;
  const table = Object.entries(routes).map(([pattern, handler]) => ({
    pattern: pattern.split(/[ /]/),
    handler,
  }));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://socket");
    const { authorization } = request.headers;
    const refusal = refuse(`${request.method} ${url.pathname}`, authorization);
    if (refusal !== null) throw new CallRefused(401, refusal);
    const route = findRoute(table, [request.method ?? "GET", ...url.pathname.split("/")]);
    if (!route) throw new CallRefused(404, `${request.method} ${url.pathname} does not exist`);
    const body = await readBody(request, maxBodyBytes);
    const result = await route.handler({ body, query: url.searchParams, params: route.params, response });
    if (result !== undefined) sendJson(response, 200, result);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      const status = error instanceof CallRefused ? error.status : 500;
      const title = error instanceof Error ? error.message : String(error);
      if (response.headersSent) response.destroy();
      else sendJson(response, status, { type: "about:blank", status, title });
    });
  });

  const ownPath = `${path}.${process.pid}`;
  rmSync(ownPath, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(ownPath, resolve);
  });
  chmodSync(ownPath, 0o600);
  renameSync(ownPath, path);

  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function findRoute(table: { pattern: string[]; handler: CallHandler }[], path: string[]) {
  for (const { pattern, handler } of table) {
    if (pattern.length !== path.length) continue;
    if (!pattern.every((part, index) => part.startsWith(":") || part === path[index])) continue;
    return {
      handler,
      params: path.filter((_, index) => pattern[index]?.startsWith(":")).map(decodeURIComponent),
    };
  }
  return null;
}

async function readBody(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > maxBytes) throw new CallRefused(413, `the body is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  if (size === 0) return null;
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch (error) {
    throw new CallRefused(400, `the body is not JSON: ${String(error)}`);
  }
}

/** Answers with a JSON document. */
export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}
