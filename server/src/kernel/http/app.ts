import { AppError, type PlatformConfig } from "@mainstay/api";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Ids } from "../ids.ts";
import { refuseConnection } from "./client-errors.ts";
import { isTooDeep } from "./json-depth.ts";

const CONNECTIONS_LIMIT = 2_000;
const HEADERS_LIMIT_BYTES = 16 * 1024;
const PARAM_LIMIT_CHARACTERS = 200;
/** Longer than load balancers keep theirs, so that it is them who close an idle connection. */
const IDLE_CONNECTION_MS = 72_000;
const TCP_KEEP_ALIVE_MS = 30_000;
/** How often node looks for connections whose request is overdue. */
const OVERDUE_CHECK_MS = 1_000;

export interface AppOptions {
  config: PlatformConfig["server"];
  ids: Ids;
  /** Answers a request that failed, wherever it did. */
  refuse: (error: unknown, request: FastifyRequest, reply: FastifyReply) => Promise<void>;
}

/** The framework with our limits, reading JSON and nothing else. */
export function createApp({ config, ids, refuse }: AppOptions): FastifyInstance {
  const { bodyLimit, requestTimeout: limitMs } = config;
  const app = fastify({
    bodyLimit,
    requestTimeout: limitMs,
    keepAliveTimeout: IDLE_CONNECTION_MS,
    exposeHeadRoutes: false,
    // A request that still gets in while the server stops is served; its connection is closed after it.
    return503OnClosing: false,
    routerOptions: { maxParamLength: PARAM_LIMIT_CHARACTERS },
    http: {
      headersTimeout: limitMs,
      connectionsCheckingInterval: Math.min(OVERDUE_CHECK_MS, limitMs),
      maxHeaderSize: HEADERS_LIMIT_BYTES,
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    },
    frameworkErrors: (error, request, reply) => void refuse(error, request, reply),
    clientErrorHandler: (error, socket) => refuseConnection(socket, error, { ids, limitMs }),
  });
  app.server.maxConnections = CONNECTIONS_LIMIT;
  // Requests are read by the routes' own schemas, all parts at once, and answers written by them.
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (value: unknown) => JSON.stringify(value));
  app.setErrorHandler(refuse);
  readJson(app);
  return app;
}

function readJson(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser("error", "error");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "string" }, (request, text, done) => {
    if (text === "") return done(null, undefined);
    if (isTooDeep(String(text))) return done(refusedJson("is nested too deep"));
    void parseJson(request, String(text), (error, value: unknown) =>
      done(error ? refusedJson("is not valid JSON", error) : null, value),
    );
  });
}

/** Bodies of these types, and no others, reach their routes as they arrive, who see to their limits. */
export function handOn(app: FastifyInstance, types: ReadonlySet<string>): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser([...types], (_request, payload, done) => done(null, payload));
}

/** The parser's own message quotes the text, which is not ours to spread. */
function refusedJson(message: string, cause?: Error): AppError {
  return new AppError("REQUEST_INVALID", {}, { cause, errors: [{ path: "body", message }] });
}
