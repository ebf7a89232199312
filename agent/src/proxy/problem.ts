import type { ServerResponse } from "node:http";

/**
 * RFC 9209 error types for exchanges that failed; `origin`
 * says whether the platform or the application is to blame.
 */
export interface Failure {
  status: 502 | 503 | 504;
  origin: "mainstay" | "mainstay-upstream";
  error:
    | "destination_unavailable"
    | "connection_refused"
    | "connection_timeout"
    | "connection_terminated"
    | "http_response_timeout"
    | "http_protocol_error";
  /** The reason under which a failure of the platform is counted. */
  lost: string | null;
  title: string;
}

export const FAILURES = {
  noInstance: lost("no_instance", {
    status: 503,
    error: "destination_unavailable",
    title: "No instance of this service is running",
  }),
  refused: lost("refused", {
    status: 502,
    error: "connection_refused",
    title: "Every instance refused the connection",
  }),
  connectTimeout: lost("connect_timeout", {
    status: 504,
    error: "connection_timeout",
    title: "The instance did not accept the connection",
  }),
  drainCut: lost("drain_cut", {
    status: 502,
    error: "connection_terminated",
    title: "The instance was stopped before it had answered",
  }),
  reset: failed({
    status: 502,
    error: "connection_terminated",
    title: "The instance closed the connection without an answer",
  }),
  timeout: failed({
    status: 504,
    error: "http_response_timeout",
    title: "The instance did not answer in time",
  }),
  protocol: failed({
    status: 502,
    error: "http_protocol_error",
    title: "The instance's answer is not valid HTTP",
  }),
} as const;

type Answer = Pick<Failure, "status" | "error" | "title">;

function lost(reason: string, answer: Answer): Failure {
  return { ...answer, origin: "mainstay", lost: reason };
}

function failed(answer: Answer): Failure {
  return { ...answer, origin: "mainstay-upstream", lost: null };
}

/** What the proxy itself refuses: the client's doing, so without Proxy-Status. */
export const REFUSALS = {
  noRoute: { status: 404, title: "Nothing is routed at this host and path" },
  badHost: { status: 400, title: "The request needs exactly one valid Host header" },
  badTarget: { status: 400, title: "The request target has a form this proxy does not serve" },
  badHeaders: { status: 400, title: "A header of the request cannot be forwarded" },
  badCoding: { status: 501, title: "The only transfer coding this proxy takes is chunked" },
  upgrade: { status: 501, title: "This proxy does not serve WebSocket or other upgrades" },
} as const;
export type Refusal = (typeof REFUSALS)[keyof typeof REFUSALS];

/** Answers with an RFC 9457 problem document. */
export function answerProblem(
  response: ServerResponse,
  problem: Failure | Refusal,
  setCookie: string | null = null,
): void {
  const { status, title } = problem;
  const body = JSON.stringify({ type: "about:blank", status, title });
  const headers: Record<string, string | number> = {
    "content-type": "application/problem+json",
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
  };
  if ("origin" in problem) headers["proxy-status"] = `${problem.origin}; error=${problem.error}`;
  if (setCookie !== null) headers["set-cookie"] = setCookie;
  response.writeHead(status, headers);
  response.end(body);
}
