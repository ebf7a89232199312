import type { IncomingMessage, ServerResponse } from "node:http";

/** How long a client that was refused may go on sending, so that it reads why before it is hung up on. */
const LINGER_MS = 2000;

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

/** What the proxy itself refuses: the client's doing, so without Proxy-Status. Counted by its reason. */
export interface Refusal {
  status: 400 | 404 | 408 | 413 | 431 | 501 | 503;
  title: string;
  /** Null: counted elsewhere. */
  reason: string | null;
  retryAfterSeconds?: number;
}

function refuse(status: Refusal["status"], reason: string | null, title: string): Refusal {
  return { status, reason, title };
}

export const REFUSALS = {
  noRoute: refuse(404, null, "Nothing is routed at this host and path"),
  badHost: refuse(400, "malformed", "The request needs exactly one valid Host header"),
  badTarget: refuse(400, "malformed", "The request target has a form this proxy does not serve"),
  badHeaders: refuse(400, "malformed", "A header of the request cannot be forwarded"),
  malformed: refuse(400, "malformed", "The request is not valid HTTP"),
  badCoding: refuse(501, "coding", "The only transfer coding this proxy takes is chunked"),
  headTimeout: refuse(408, "head_timeout", "The head of the request did not arrive in time"),
  bodyTimeout: refuse(408, "body_timeout", "The body of the request stopped arriving"),
  bodyTooLarge: refuse(413, "body_too_large", "The body of the request is larger than this proxy takes"),
  headTooLarge: refuse(431, "head_too_large", "The headers of the request are more than this proxy takes"),
  tooManyConnections: {
    ...refuse(503, "connection_limit", "This proxy has as many connections as it takes"),
    retryAfterSeconds: 1,
  },
};

/** Answers with an RFC 9457 problem document. */
export function answerProblem(
  response: ServerResponse,
  problem: Failure | Refusal,
  setCookie: string | null = null,
): void {
  writeProblem(response, problem, setCookie);
  response.end();
}

/**
 * Refuses a request. What is still to come of its body is dropped, for a moment only: a connection that is
 * closed with bytes unread is reset, and the client might lose the answer (RFC 9112, section 9.6).
 */
export function answerRefusal(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  const isWhole = request.complete || !hasBody(request);
  if (!isWhole) response.shouldKeepAlive = false;
  writeProblem(response, refusal, null);
  if (isWhole) return void response.end();
  const end = () => response.end();
  const limit = setTimeout(end, LINGER_MS);
  response.once("close", () => clearTimeout(limit));
  request.once("end", end).resume();
}

/** Whether a request announces a body (RFC 9112, section 6). */
export function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers["content-length"];
  return headers["transfer-encoding"] !== undefined || (length !== undefined && length !== "0");
}

export function problemDocument({ status, title }: Pick<Failure | Refusal, "status" | "title">): string {
  return JSON.stringify({ type: "about:blank", status, title });
}

function writeProblem(response: ServerResponse, problem: Failure | Refusal, setCookie: string | null): void {
  const body = problemDocument(problem);
  const headers: Record<string, string | number> = {
    "content-type": "application/problem+json",
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
  };
  if ("origin" in problem) headers["proxy-status"] = `${problem.origin}; error=${problem.error}`;
  else if (problem.retryAfterSeconds !== undefined) headers["retry-after"] = problem.retryAfterSeconds;
  if (setCookie !== null) headers["set-cookie"] = setCookie;
  response.writeHead(problem.status, headers);
  response.write(body);
}
