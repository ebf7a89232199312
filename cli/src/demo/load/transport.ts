import { Pool, type Dispatcher } from "undici";
import type { PlannedRequest } from "./request-mix.ts";
import type { Result } from "./outcome.ts";

export interface OutgoingRequest extends PlannedRequest {
  cookie: string | null;
  /** Asks for a connection of its own (`Connection: close`) instead of a kept one. */
  close: boolean;
}

export interface Transport {
  /** Sends once, never again; the result comes with the end of the answer, of hope, or of the time. */
  send(request: OutgoingRequest, onResult: (result: Result) => void): void;
  close(): Promise<void>;
}

/** More than can be under way at the default rate and time-out, so that no request waits for a connection. */
const MAX_CONNECTIONS = 2000;

/** Sends requests to one origin over HTTP/1.1. */
export function createTransport(options: { url: string; timeoutMs: number }): Transport {
  const { timeoutMs } = options;
  // The time-outs of the pools are off: a request's time also counts while it waits for a connection.
  const poolOptions = {
    connections: MAX_CONNECTIONS,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    connectTimeout: 0,
  };
  const kept = new Pool(options.url, poolOptions);
  const single = new Pool(options.url, poolOptions);

  return {
    send(request, onResult) {
      const { method, path, body, close } = request;
      const pool = close ? single : kept;
      const handler = createHandler(timeoutMs, onResult);
      pool.dispatch({ method, path, body, headers: headersOf(request), reset: close }, handler);
    },
    async close() {
      await Promise.all([kept.close(), single.close()]);
    },
  };
}

function headersOf(request: OutgoingRequest): Record<string, string> {
  const headers: Record<string, string> = { accept: "*/*" };
  if (request.cookie !== null) headers.cookie = request.cookie;
  if (request.contentType !== null) headers["content-type"] = request.contentType;
  return headers;
}

/** Collects one answer; its body is read to the end and thrown away. */
function createHandler(timeoutMs: number, onResult: (result: Result) => void): Dispatcher.DispatchHandler {
  let controller: Dispatcher.DispatchController | null = null;
  let answer: Result | null = null;
  let isDone = false;

  const finish = (result: Result) => {
    if (isDone) return;
    isDone = true;
    clearTimeout(deadline);
    onResult(result);
  };
  const deadline = setTimeout(() => {
    finish({ failure: "timeout" });
    controller?.abort(new Error("timeout"));
  }, timeoutMs);

  return {
    onRequestStart(started) {
      controller = started;
      if (isDone) started.abort(new Error("timeout"));
    },
    onResponseStart(_controller, status, headers) {
      answer = {
        status,
        proxyStatus: textOf(headers["proxy-status"]),
        release: textOf(headers["x-mainstay-release"]),
        setCookies: [headers["set-cookie"] ?? []].flat(),
      };
    },
    onResponseData() {},
    onResponseEnd: () => finish(answer ?? { failure: "no-answer" }),
    onResponseError: (_controller, error) =>
      finish({ failure: answer === null ? reasonOf(error) : "cut-off" }),
  };
}

function textOf(header: string | string[] | undefined): string | null {
  return header === undefined ? null : [header].flat().join(", ");
}

const REASONS: Record<string, string> = {
  ECONNREFUSED: "refused",
  ECONNRESET: "reset",
  EPIPE: "reset",
  UND_ERR_SOCKET: "no-answer",
};

function reasonOf(error: Error): string {
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  return REASONS[code] ?? code;
}
