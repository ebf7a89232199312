import { AppError, PROBLEM_CONTENT_TYPE, type PlatformConfig } from "@mainstay/api";
import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  InjectOptions,
  LightMyRequestResponse,
} from "fastify";
import type { z } from "zod";
import type { LongRunning } from "../actors.ts";
import type { Clock } from "../clock.ts";
import { withDeadline } from "../deadline.ts";
import type { Ids } from "../ids.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { admit } from "./authorize.ts";
import { NOBODY, type Authenticate } from "./authority.ts";
import { answer } from "./answer.ts";
import { demandAllowedHost } from "./allowed-host.ts";
import { createApp, handOn } from "./app.ts";
import { addressOfClient } from "./client-address.ts";
import { createExchanges, type Exchange } from "./exchange.ts";
import type { IdempotencyStore } from "./idempotency.ts";
import { createDeadlines } from "./deadlines.ts";
import { createObserver } from "./observer.ts";
import { collectOpenapi, describeRoute } from "./openapi.ts";
import { probeRoutes, type ReadinessCheck } from "./probes.ts";
import { problemHeaders, toAppError, toProblem } from "./problems.ts";
import { PUBLIC_URLS } from "./public-urls.ts";
import { REQUEST_ID_HEADER, requestIdOf } from "./request-id.ts";
import { SECURITY_HEADERS } from "./security-headers.ts";
import { checkRoute, type AnyRoute, type Route } from "./route.ts";

export interface HttpOptions {
  config: PlatformConfig["server"];
  version: string;
  log: Log;
  clock: Clock;
  ids: Ids;
  metrics: Metrics;
  /** Called for every route that is not public. */
  authenticate: Authenticate;
  /** Without it, Idempotency-Key is ignored. */
  idempotencyStore?: IdempotencyStore;
}

export interface Http extends LongRunning {
  /** To be called before the start. Throws for a route without a permission. */
  route<
    P extends z.ZodType = z.ZodUndefined,
    Q extends z.ZodType = z.ZodUndefined,
    B extends z.ZodType = z.ZodUndefined,
    R extends z.ZodType = z.ZodType,
  >(
    route: Route<P, Q, B, R>,
  ): void;
  /** Every route, with the permission it demands and its scope. */
  routes(): AnyRoute[];
  /** The check throws when its part is not ready; /readyz then answers 503 and the name. */
  addReadinessCheck(name: string, check: () => Promise<void> | void): void;
  /** The OpenAPI document. */
  openapi(): Promise<object>;
  /** Where the server listens, as in http://127.0.0.1:7700. */
  address(): string;
  /** A request without a socket, for tests. */
  inject(request: InjectOptions): Promise<LightMyRequestResponse>;
}

const CONNECTION_GONE = new Error("the connection is gone");
/** What is left of the time to stop for those that were told to end. */
const LAST_WORDS_MS = 250;

/** The server's port: routes, errors, limits, probes and a stop that loses no request. */
export function createHttp(options: HttpOptions): Http {
  const { config, clock, log, metrics, ids } = options;
  const app = createApp({ config, ids, refuse });
  const exchanges = createExchanges();
  const exchangeOf = new WeakMap<FastifyRequest, Exchange>();
  const observe = createObserver({ clock, metrics, inflight: exchanges.size });
  const checks: ReadinessCheck[] = [];
  const routes = new Map<string, AnyRoute>();
  const ofServer = { sizeBytes: config.bodyLimit, setting: "server.bodyLimit" };
  const deadlines = createDeadlines({ clock, limitMs: config.requestTimeout });
  const answerOptions = {
    clock,
    deadlines,
    requestTimeoutMs: config.requestTimeout,
    idempotencyStore: options.idempotencyStore,
  };
  let prepared: Promise<void> | null = null;
  let isStopping = false;

  function add(route: AnyRoute): void {
    const name = `${route.method} ${route.url}`;
    checkRoute(route, PUBLIC_URLS);
    if (prepared) throw new Error(`${name} comes after the start`);
    if (routes.has(name)) throw new Error(`${name} is there already`);
    routes.set(name, route);
  }

  function begin(request: FastifyRequest, reply: FastifyReply): Exchange {
    const requestId = requestIdOf(request.headers, ids);
    const exchange: Exchange = {
      requestId,
      route: routes.get(`${request.method} ${request.routeOptions.url}`) ?? null,
      authenticated: NOBODY,
      address: addressOfClient(request, config.publicHost),
      startedMs: clock.monotonicMs(),
      log: log.child({ requestId }),
      abandoned: new AbortController(),
      error: null,
    };
    reply.headers({ ...SECURITY_HEADERS, [REQUEST_ID_HEADER]: requestId });
    exchangeOf.set(request, exchange);
    exchanges.add(exchange);
    let hasLeft = false;
    reply.raw.once("finish", () => (hasLeft = true));
    reply.raw.once("close", () => {
      const status = hasLeft ? reply.raw.statusCode : null;
      if (!hasLeft) exchange.abandoned.abort(CONNECTION_GONE);
      exchanges.remove(exchange);
      observe(exchange, { method: request.method, path: pathOf(request), status });
    });
    return exchange;
  }

  /** Who asks is kept also of those who are turned away. */
  async function identify(exchange: Exchange, { headers, method }: FastifyRequest): Promise<void> {
    const credentials = { headers, method, address: exchange.address };
    const { authenticated, check } = await admit(exchange.route, options.authenticate, credentials);
    exchange.authenticated = authenticated;
    check();
  }

  async function refuse(error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const exchange = exchangeOf.get(request) ?? begin(request, reply);
    if (reply.raw.destroyed) return void reply.hijack();
    const { bodyLimit = ofServer, takes } = exchange.route ?? {};
    const refusal = toAppError(error, { bodyLimit, takes });
    exchange.error = refusal;
    const body = JSON.stringify(toProblem(refusal, exchange.requestId));
    await reply.code(refusal.status).headers(problemHeaders(refusal)).type(PROBLEM_CONTENT_TYPE).send(body);
  }

  async function prepare(): Promise<void> {
    await collectOpenapi(app, options.version);
    app.setNotFoundHandler((request) => {
      throw new AppError("NOT_FOUND", { what: `${request.method} ${pathOf(request)}` });
    });
    app.addHook("onRequest", async (request, reply) => {
      const exchange = begin(request, reply);
      demandAllowedHost(request.headers.host, config);
      await identify(exchange, request);
    });
    app.addHook(
      "onSend",
      async (_request, reply) => void (isStopping && reply.header("connection", "close")),
    );
    const [ofBytes, ofJson] = divide(routes.values(), ({ takes }) => takes !== undefined);
    addRoutes(app, ofJson);
    await app.register(async (part) => {
      handOn(part, new Set(ofBytes.flatMap(({ takes }) => takes ?? [])));
      addRoutes(part, ofBytes);
    });
    await app.ready();
  }

  function addRoutes(part: FastifyInstance, added: readonly AnyRoute[]): void {
    for (const route of added) {
      part.route({
        method: route.method,
        url: route.url,
        schema: describeRoute(route),
        ...(route.bodyLimit && { bodyLimit: route.bodyLimit.sizeBytes }),
        handler: (request, reply) => {
          const exchange = exchangeOf.get(request) ?? begin(request, reply);
          return answer({ route, exchange, request, reply }, answerOptions);
        },
      });
    }
  }

  function ready(): Promise<void> {
    prepared ??= prepare();
    return prepared;
  }

  for (const route of probeRoutes({ clock, log, metrics, checks, openapi: () => app.swagger() })) add(route);

  return {
    name: "http",
    route: add,
    routes: () => [...routes.values()],
    addReadinessCheck: (name, check) => void checks.push({ name, check }),
    address: () => addressOf(app),
    async openapi() {
      await ready();
      return app.swagger();
    },
    async inject(request) {
      await ready();
      return app.inject(request);
    },
    async start() {
      await ready();
      await listen(app, config);
      log.info({ url: addressOf(app) }, "listening");
    },
    async stop() {
      isStopping = true;
      exchanges.endStreams();
      const closed = app.close();
      const patienceMs = Math.max(0, config.shutdownTimeout - LAST_WORDS_MS);
      await withDeadline({ clock, ms: patienceMs }, exchanges.allDone()).catch(exchanges.endAll);
      await withDeadline({ clock, ms: LAST_WORDS_MS }, exchanges.allDone()).catch(() => {
        log.warn({ requests: exchanges.size() }, "requests cut off");
      });
      deadlines.end();
      app.server.closeAllConnections();
      await closed;
    },
  };
}

function divide<T>(all: Iterable<T>, isFirst: (each: T) => boolean): [T[], T[]] {
  const list = [...all];
  return [list.filter(isFirst), list.filter((each) => !isFirst(each))];
}

async function listen(app: FastifyInstance, { host, port }: PlatformConfig["server"]): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const isTaken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    throw isTaken ? new AppError("ADDRESS_IN_USE", { address: `${host}:${port}` }, { cause: error }) : error;
  }
}

function addressOf(app: FastifyInstance): string {
  const address = app.server.address();
  if (address === null || typeof address === "string") throw new Error("the server does not listen");
  return `http://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`;
}

/** Without the query, where a client may have put what is nobody's business. */
function pathOf(request: FastifyRequest): string {
  return request.url.split("?")[0] ?? request.url;
}
