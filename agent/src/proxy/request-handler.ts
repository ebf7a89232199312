import type { EventEmitter } from "node:events";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { assignBucket, GROUPS } from "./assignment.ts";
import { readClient, type Trust } from "./client.ts";
import type { ConnectionLimit } from "./connection.ts";
import type { Edge } from "./edge.ts";
import { Exchange, type ExchangeObserver } from "./exchange.ts";
import { forwardedHeaders, hostName, readHost } from "./headers.ts";
import type { Identities } from "./identity.ts";
import { answerMaintenance } from "./maintenance.ts";
import type { WritePlainHead } from "./plain-head.ts";
import { answerRefusal, hasBody, REFUSALS, type Refusal } from "./problem.ts";
import type { RoutedArm, RoutedService, RoutingTable } from "./routing-table.ts";

export interface HandlerContext extends ExchangeObserver {
  table: RoutingTable;
  trust: Trust;
  writePlainHead: WritePlainHead;
  connections: ConnectionLimit;
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

/** A request as it arrived. */
export interface Arrived {
  request: IncomingMessage;
  response: ServerResponse;
  /**
   * Emits "close" once, when the request is over: its response, or the connection if it changes the protocol.
   */
  closing: EventEmitter;
  /** The protocol to change to. */
  upgrade: string | null;
}

/** What a worker does with a plain request. */
export function createRequestHandler(context: HandlerContext): RequestListener {
  return (request, response) => serve(context, { request, response, closing: response, upgrade: null });
}

/** Refuses what is malformed or too much, finds the service, assigns the user, hands the request on. */
export function serve(context: HandlerContext, arrived: Arrived): void {
  const { request, response, closing } = arrived;
  let exchange: Exchange | null = null;
  context.started();
  closing.on("close", () => {
    context.finished();
    if (exchange?.clientClosed()) context.aborted();
  });
  const target = readTarget(request);
  if ("status" in target) return refuse(context, arrived, target);
  const excess = findExcess(context, request);
  if (excess) return refuse(context, arrived, excess);
  if (context.edge.answer(request, response, target)) return;
  const service = context.table.match(hostName(target.host), target.path);
  if (!service) {
    context.unrouted();
    return refuse(context, arrived, REFUSALS.noRoute);
  }
  if (service.maintenance) {
    context.refused("maintenance");
    if (context.isDraining()) response.shouldKeepAlive = false;
    return answerMaintenance(request, response, service.maintenance);
  }
  exchange = createExchange(context, arrived, { target, service });
  if (request.headers["transfer-encoding"] === undefined) exchange.start();
  // What is wrong with a chunk in the same packet shows before the instance hears of the request.
  else setImmediate(startExchange, exchange);
}

function startExchange(exchange: Exchange): void {
  exchange.start();
}

interface Destination {
  target: Target;
  service: RoutedService;
}

function createExchange(
  context: HandlerContext,
  arrived: Arrived,
  { target, service }: Destination,
): Exchange {
  const { request, response, upgrade } = arrived;
  const client = readClient(request, target.host, context.trust);
  const who = { identities: context.identities(), isSecure: client.protocol === "https" };
  const { arm, group, setCookie } = assign(service, request, who);
  const plainHead = isPlain(request, upgrade) ? context.writePlainHead(target.path, request, client) : null;
  const options = {
    request,
    response,
    service,
    arm,
    group,
    setCookie,
    upgrade,
    path: target.path,
    headers: plainHead === null ? forwardedHeaders(request.rawHeaders, request.headers, client) : [],
    plainHead,
    hasBody: hasBody(request),
  };
  return new Exchange(options, context);
}

/** Most requests are: what goes the short way to an instance. */
function isPlain({ method, headers }: IncomingMessage, upgrade: string | null): boolean {
  const hasLength = headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
  return method === "GET" && upgrade === null && !hasLength;
}

function refuse(context: HandlerContext, { request, response }: Arrived, refusal: Refusal): void {
  if (refusal.reason !== null) context.refused(refusal.reason);
  const isLast = refusal.status === 400 || refusal === REFUSALS.tooManyConnections;
  if (isLast || context.isDraining()) response.shouldKeepAlive = false;
  answerRefusal(request, response, refusal);
}

/** What is more than the limits allow, as far as the head of the request tells. */
function findExcess({ connections, limits }: HandlerContext, request: IncomingMessage): Refusal | null {
  if (connections.isExcess(request.socket)) return REFUSALS.tooManyConnections;
  if (request.rawHeaders.length > 2 * limits.headerCount) return REFUSALS.headTooLarge;
  const length = request.headers["content-length"];
  return length !== undefined && Number(length) > limits.bodyBytes ? REFUSALS.bodyTooLarge : null;
}

/** Host and origin-form path of a request (RFC 9112, section 3.2), or why it is refused. */
function readTarget(request: IncomingMessage): Target | Refusal {
  const { headers, rawHeaders, url = "/" } = request;
  const coding = headers["transfer-encoding"]?.toLowerCase();
  // RFC 9112, section 6.3: where a body ends is known only if the last coding is chunked.
  if (coding !== undefined && !/(?:^|[\s,])chunked$/.test(coding)) return REFUSALS.malformed;
  if (coding !== undefined && coding !== "chunked") return REFUSALS.badCoding;
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
function assign(
  service: RoutedService,
  request: IncomingMessage,
  { identities, isSecure }: { identities: Identities; isSecure: boolean },
): Assigned {
  const { candidate, stable, weight } = service;
  const known = identities.read(request.headers.cookie) ?? readHeader(request, service.assignmentHeader);
  if (!candidate) return { arm: stable, group: groupOf(service, known), setCookie: null };
  const issued = known === null ? identities.issue(isSecure) : null;
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
