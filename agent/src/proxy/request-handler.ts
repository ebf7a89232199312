import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { assignBucket, GROUPS } from "./assignment.ts";
import { isEncrypted, isSecure, type Edge } from "./edge.ts";
import { Exchange, type ExchangeObserver } from "./exchange.ts";
import { forwardedHeaders, hostName, readHost } from "./headers.ts";
import type { Identities } from "./identity.ts";
import { answerProblem, REFUSALS, type Refusal } from "./problem.ts";
import type { RoutedArm, RoutedService, RoutingTable } from "./routing-table.ts";

export interface HandlerContext extends ExchangeObserver {
  table: RoutingTable;
  edge: Edge;
  identities(): Identities;
  started(): void;
  finished(): void;
  aborted(): void;
  unrouted(): void;
}

interface Target {
  host: string;
  path: string;
}

interface Assigned {
  arm: RoutedArm | null;
  group: number;
  setCookie: string | null;
}

/**
 * What a worker does with a request: refuse what is malformed, find the service, assign the user, hand it on.
 */
export function createRequestHandler(context: HandlerContext): RequestListener {
  return (request, response) => {
    let exchange: Exchange | null = null;
    context.started();
    response.once("close", () => {
      context.finished();
      if (exchange?.clientClosed()) context.aborted();
    });
    const target = readTarget(request);
    if ("status" in target) return refuse(context, response, target);
    if (context.edge.answer(request, response, target)) return;
    const service = context.table.match(hostName(target.host), target.path);
    if (!service) {
      context.unrouted();
      return refuse(context, response, REFUSALS.noRoute);
    }
    exchange = createExchange(context, { request, response, target, service });
    exchange.start();
  };
}

interface Accepted {
  request: IncomingMessage;
  response: ServerResponse;
  target: Target;
  service: RoutedService;
}

function createExchange(context: HandlerContext, { request, response, target, service }: Accepted): Exchange {
  const { headers, rawHeaders, socket } = request;
  const address = plainAddress(socket.remoteAddress);
  const client = { host: target.host, address, isEncrypted: isEncrypted(request) };
  const contentLength = headers["content-length"];
  const options = {
    ...assign(service, request, context.identities()),
    request,
    response,
    service,
    path: target.path,
    headers: forwardedHeaders(rawHeaders, headers, client),
    hasBody:
      headers["transfer-encoding"] !== undefined || (contentLength !== undefined && contentLength !== "0"),
  };
  return new Exchange(options, context);
}

function refuse(context: HandlerContext, response: ServerResponse, refusal: Refusal): void {
  if (context.isDraining()) response.shouldKeepAlive = false;
  answerProblem(response, refusal);
}

/** Host and origin-form path of a request (RFC 9112, section 3.2), or why it is refused. */
function readTarget(request: IncomingMessage): Target | Refusal {
  const { headers, rawHeaders, url = "/" } = request;
  const coding = headers["transfer-encoding"];
  if (coding !== undefined && coding.toLowerCase() !== "chunked") return REFUSALS.badCoding;
  if (headers.upgrade !== undefined && /\bwebsocket\b/i.test(headers.upgrade)) return REFUSALS.upgrade;
  const host = readHost(rawHeaders, headers.host);
  if (host === null) return REFUSALS.badHost;
  if (url.startsWith("/")) return { host, path: url };
  return readAbsoluteTarget(url);
}

function readAbsoluteTarget(url: string): Target | Refusal {
  const parts = /^https?:\/\/([^/?#@]+)([/?].*)?$/i.exec(url);
  const host = parts?.[1] === undefined ? null : readHost(["host", parts[1]], parts[1]);
  if (!parts || host === null) return REFUSALS.badTarget;
  const rest = parts[2] ?? "/";
  return { host, path: rest.startsWith("/") ? rest : `/${rest}` };
}

/** contracts: the signed cookie, else the configured header, else a fresh id that is set as the cookie. */
function assign(service: RoutedService, request: IncomingMessage, identities: Identities): Assigned {
  const { candidate, stable, weight } = service;
  const known = identities.read(request.headers.cookie) ?? readHeader(request, service.assignmentHeader);
  if (!candidate) return { arm: stable, group: groupOf(service, known), setCookie: null };
  const issued = known === null ? identities.issue(isSecure(request)) : null;
  const bucket = assignBucket(service.service, service.change, known ?? issued?.id ?? "");
  return {
    arm: bucket < weight ? candidate : stable,
    group: bucket % GROUPS,
    setCookie: issued?.setCookie ?? null,
  };
}

/** Without a candidate nobody is told apart, so a user without an id counts into any group. */
function groupOf(service: RoutedService, id: string | null): number {
  if (id === null) return Math.floor(Math.random() * GROUPS);
  return assignBucket(service.service, service.change, id) % GROUPS;
}

function readHeader(request: IncomingMessage, name: string | null): string | null {
  const value = name === null ? undefined : request.headers[name];
  return typeof value === "string" && value.length > 0 && value.length <= 256 ? value : null;
}

function plainAddress(address = "unknown"): string {
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}
