import { Readable } from "node:stream";
import { AppError } from "@mainstay/api";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "../clock.ts";
import { authorize } from "./authorize.ts";
import type { Deadlines } from "./deadlines.ts";
import { unlessAborted, type Exchange } from "./exchange.ts";
import { once, readIdempotencyKey, type IdempotencyStore, type StoredAnswer } from "./idempotency.ts";
import { sendLines } from "./ndjson.ts";
import { readInput, Reply, reply, writeOutput, type AnyRoute, type HttpRequest } from "./route.ts";

export interface AnswerOptions {
  clock: Clock;
  requestTimeoutMs: number;
  /** Of that length. */
  deadlines: Deadlines;
  idempotencyStore: IdempotencyStore | undefined;
}

interface Call {
  route: AnyRoute;
  exchange: Exchange;
  request: FastifyRequest;
  reply: FastifyReply;
}

const JSON_TYPE = "application/json; charset=utf-8";
const NDJSON_TYPE = "application/x-ndjson; charset=utf-8";

/**
 * Reads the request, calls the route's handler within the time a request may take, and sends what it
 * answers.
 */
export async function answer(call: Call, options: AnswerOptions): Promise<unknown> {
  try {
    return await answerOnce(call, options);
  } finally {
    passOver(call.request);
  }
}

async function answerOnce(call: Call, options: AnswerOptions): Promise<unknown> {
  const { route, exchange, request, reply: sent } = call;
  const content = contentOf(route, request);
  const input = readInput(route, request);
  const handlerRequest: HttpRequest<unknown, unknown, unknown> = {
    ...input,
    content,
    actor: exchange.authenticated.actor,
    authenticated: exchange.authenticated,
    method: request.method,
    requestId: exchange.requestId,
    announce: (headers) => void sent.headers(headers),
    address: exchange.address,
    signal: exchange.abandoned.signal,
    headers: request.headers,
    log: exchange.log,
  };
  const handle = async (): Promise<unknown> => route.handler(handlerRequest);
  if (typeof route.scope === "function" || route.stepUp)
    await withinTime(exchange, options, authorize(route, handlerRequest, options.clock));
  if (route.stream) return sendStream(call, await withinTime(exchange, options, handle()));

  if (route.bytes !== undefined) {
    const { status, headers, body } = bytesOf(route, await withinTime(exchange, options, handle()));
    return sent.code(status).type(route.bytes).headers(headers).send(body);
  }

  const perform = async (): Promise<StoredAnswer> => toAnswer(route, await handle());
  const keyed = request.method === "POST" && !route.isSecretAnswer ? options.idempotencyStore : null;
  const { actor } = exchange.authenticated;
  const key =
    keyed &&
    readIdempotencyKey(request.headers, { actor, method: "POST", url: request.url, body: input.body });
  const work = keyed && key ? once(keyed, key, perform) : perform();
  const { status, headers, body } = await withinTime(exchange, options, work);
  return sent
    .code(status)
    .type(route.contentType ?? JSON_TYPE)
    .headers(headers)
    .send(body);
}

/** The bytes of a route that takes them; those sent to any other route are refused, and other types too. */
function contentOf({ takes }: AnyRoute, { body, headers }: FastifyRequest): AsyncIterable<Uint8Array> {
  const isStream = body instanceof Readable;
  const type = headers["content-type"]?.split(";")[0]?.trim().toLowerCase() ?? "";
  const isWrong = takes === undefined ? isStream : isStream && !takes.includes(type);
  if (isWrong)
    throw new AppError("UNSUPPORTED_MEDIA_TYPE", { types: takes?.join(" or ") ?? "application/json" });
  return isStream ? body.iterator({ destroyOnReturn: false }) : Readable.from([]);
}

/** What a handler left of a body must be out of the way before the connection can carry the next request. */
function passOver({ body }: FastifyRequest): void {
  if (body instanceof Readable && !body.readableEnded) body.resume();
}

function bytesOf(route: AnyRoute, output: unknown): Reply<Buffer | Readable> {
  const { status, headers, body } =
    output instanceof Reply ? output : reply({ status: usualStatus(route), body: output });
  demandKnown(route, status);
  if (body instanceof Readable) return reply({ status, headers, body });
  if (!(body instanceof Uint8Array)) throw new Error(`${route.method} ${route.url} must answer bytes`);
  return reply({ status, headers, body: Buffer.from(body.buffer, body.byteOffset, body.byteLength) });
}

/** What is late is answered as late; it goes on unheard, told so by its signal. */
async function withinTime<T>(exchange: Exchange, options: AnswerOptions, work: Promise<T>): Promise<T> {
  const { deadlines, requestTimeoutMs: limitMs } = options;
  const endDeadline = deadlines.begin(() =>
    exchange.abandoned.abort(new AppError("REQUEST_TIMEOUT", { limitMs })),
  );
  try {
    return await unlessAborted(work, exchange.abandoned.signal);
  } finally {
    endDeadline();
  }
}

function toAnswer(route: AnyRoute, output: unknown): StoredAnswer {
  if (!(output instanceof Reply))
    return { status: usualStatus(route), headers: {}, body: writeOutput(route, output) };
  demandKnown(route, output.status);
  return { status: output.status, headers: { ...output.headers }, body: writeOutput(route, output.body) };
}

function usualStatus({ statuses = [] }: AnyRoute): number {
  return statuses[0] ?? 200;
}

function demandKnown(route: AnyRoute, status: number): void {
  const isKnown = status === usualStatus(route) || route.statuses?.includes(status);
  if (!isKnown) throw new Error(`${route.method} ${route.url} does not name the status ${status}`);
}

async function sendStream({ route, exchange, reply: sent }: Call, items: unknown): Promise<unknown> {
  if (!isAsyncIterable(items)) throw new Error(`${route.method} ${route.url} must answer an AsyncIterable`);
  const { raw } = sent.type(NDJSON_TYPE).hijack();
  for (const [name, value] of Object.entries(sent.getHeaders())) raw.setHeader(name, value ?? "");
  await sendLines(raw, toLines(route, items), exchange.abandoned.signal).catch((error: unknown) => {
    exchange.log.error({ error }, "stream cut off");
  });
  return sent;
}

async function* toLines(route: AnyRoute, items: AsyncIterable<unknown>): AsyncIterable<string> {
  for await (const item of items) yield writeOutput(route, item);
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}
