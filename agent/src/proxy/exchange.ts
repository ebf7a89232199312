import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Dispatcher } from "undici";
import type { DressAnswer } from "./answer-dressing.ts";
import { answeredHeaders } from "./headers.ts";
import { answerProblem, FAILURES, REFUSALS, type Failure } from "./problem.ts";
import { createRequestBody } from "./request-body.ts";
import type { RoutedArm, RoutedService } from "./routing-table.ts";
import type { Upstream } from "./upstream.ts";
import type { AnswerClass } from "./worker-protocol.ts";

const MAX_RETRIES = 2;
/** A client that sends nothing of its announced body for this long is hung up on. */
const STALLED_MS = 30_000;
const ONE_WRITE_BYTES = 16_384;
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/** What an exchange tells its worker. */
export interface ExchangeObserver {
  lost(reason: string): void;
  release(upstream: Upstream): void;
  /** The same service in the table that is in force now: retries follow a table that changed meanwhile. */
  current(service: RoutedService): RoutedService;
  dress: DressAnswer;
  /** True while the worker is stopping: connections end with their next answer. */
  isDraining(): boolean;
}

export interface ExchangeOptions {
  request: IncomingMessage;
  response: ServerResponse;
  path: string;
  headers: string[];
  service: RoutedService;
  arm: RoutedArm | null;
  group: number;
  setCookie: string | null;
  hasBody: boolean;
}

type Controller = Dispatcher.DispatchController;

/**
 * One request on its way: sent to an instance of its arm, retried elsewhere while that is safe, streamed
 * back. A class, because the hot path makes one of these per request and undici calls its methods.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  private readonly options: ExchangeOptions;
  private readonly observer: ExchangeObserver;
  private service: RoutedService;
  private arm: RoutedArm | null;
  private upstream: Upstream | null = null;
  private readonly tried: Upstream[] = [];
  private controller: Controller | null = null;
  private dispatchedAtMs = 0;
  private hasFirstByte = false;
  private hasHeaders = false;
  private hasFlushed = false;
  private isOver = false;
  /** The last chunk, held until its turn ends: most answers then leave in one write. */
  private held: Buffer | null = null;

  constructor(options: ExchangeOptions, observer: ExchangeObserver) {
    this.options = options;
    this.observer = observer;
    this.service = options.service;
    this.arm = options.arm;
  }

  /**
   * Sends the request; every way it can end leads to an answer, a cut connection or the client's hanging up.
   */
  start(): void {
    const upstream = this.chooseUpstream();
    if (upstream) this.dispatch(upstream);
    else this.giveUp(FAILURES.noInstance);
  }

  /**
   * The client's connection closed: if that was before the end, the instance is told to stop. True: an abort.
   */
  clientClosed(): boolean {
    if (this.isOver) return false;
    this.end();
    if (!this.hasHeaders) this.countAnswer("none");
    this.controller?.abort(new Error("the client hung up"));
    return true;
  }

  onRequestStart(controller: Controller): void {
    this.controller = controller;
    if (this.isOver) controller.abort(new Error("the client hung up"));
  }

  onResponseStarted(): void {
    this.hasFirstByte = true;
  }

  onResponseStart(
    _controller: Controller,
    status: number,
    headers: IncomingHttpHeaders,
    reason?: string,
  ): void {
    if (this.isOver) return;
    const { request, response, setCookie, group } = this.options;
    if (status < 200) {
      if (request.httpVersionMinor > 0) response.writeInformation(status, answeredHeaders(headers));
      return;
    }
    this.hasHeaders = true;
    this.arm?.tally.answered(group, performance.now() - this.dispatchedAtMs, status >= 500);
    this.countAnswer(classOf(status));
    const answered = answeredHeaders(headers);
    if (setCookie !== null) answered.push("set-cookie", setCookie);
    if (this.observer.isDraining()) response.shouldKeepAlive = false;
    this.observer.dress({ request, response, settings: this.service.answers, status, headers: answered });
    response.writeHead(status, reason ?? "", answered);
    process.nextTick(flush, this);
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.isOver) return;
    if (this.held) this.write(this.held, controller);
    this.held = chunk;
    if (this.hasFlushed) this.flush();
  }

  onResponseEnd(): void {
    if (this.isOver) return;
    this.end();
    const { response } = this.options;
    if (!this.held) response.end();
    else if (this.hasFlushed || this.held.length > ONE_WRITE_BYTES) response.end(this.held);
    // As text of one byte a character it leaves with the head in one write, which costs a tenth less CPU.
    else response.end(this.held.toString("latin1"), "latin1");
  }

  onResponseError(controller: Controller | null, error: Error & { code?: string }): void {
    if (this.isOver) return;
    if (!controller && error.code === "UND_ERR_INVALID_ARG") return this.refuseHeaders();
    if (this.hasHeaders) return this.breakOff();
    const failure = this.describe(error);
    if (failure !== FAILURES.drainCut) this.countFailure(failure);
    this.leaveUpstream();
    const upstream = this.isRepeatable(failure) ? this.chooseAgain() : null;
    if (upstream) this.dispatch(upstream);
    else this.giveUp(failure);
  }

  /** At the end of the turn: sends what is there, so that streams and slow bodies are not held back. */
  flush(): void {
    if (this.isOver) return;
    if (!this.hasFlushed && !this.held) this.options.response.flushHeaders();
    this.hasFlushed = true;
    if (this.held && this.controller) this.write(this.held, this.controller);
    this.held = null;
  }

  private write(chunk: Buffer, controller: Controller): void {
    if (this.options.response.write(chunk)) return;
    controller.pause();
    this.options.response.once("drain", () => controller.resume());
  }

  private dispatch(upstream: Upstream): void {
    const { request, path, headers, hasBody } = this.options;
    this.upstream = upstream;
    upstream.inflight += 1;
    this.tried.push(upstream);
    this.controller = null;
    this.hasFirstByte = false;
    const method = request.method ?? "GET";
    const body = hasBody ? createRequestBody(request, STALLED_MS) : null;
    const headersTimeout = this.service.requestTimeoutMs;
    this.dispatchedAtMs = performance.now();
    upstream.pool.dispatch({ path, method, headers, body, headersTimeout }, this);
  }

  private chooseAgain(): Upstream | null {
    this.service = this.observer.current(this.service);
    if (this.arm) this.arm = this.service[this.arm.arm] ?? this.service.stable;
    return this.chooseUpstream();
  }

  /**
   * The next instance of the arm that was not tried yet,
   * or of the stable arm when the candidate has none left.
   */
  private chooseUpstream(): Upstream | null {
    const chosen = this.arm && nextUpstream(this.arm, this.tried);
    if (chosen) return chosen;
    if (this.tried.length === 0) this.arm?.tally.failed(this.options.group);
    const { stable } = this.service;
    if (this.arm?.arm !== "candidate" || !stable) return null;
    const fallback = nextUpstream(stable, this.tried);
    if (fallback) this.arm = stable;
    return fallback;
  }

  private describe(error: Error & { code?: string }): Failure {
    if (!this.controller)
      return error.code === "UND_ERR_CONNECT_TIMEOUT" ? FAILURES.connectTimeout : FAILURES.refused;
    if (this.upstream?.state === "draining") return FAILURES.drainCut;
    if (error.code === "UND_ERR_HEADERS_TIMEOUT") return FAILURES.timeout;
    return error.name === "HTTPParserError" ? FAILURES.protocol : FAILURES.reset;
  }

  /** RFC 9110, section 9.2.2: what was never sent may be repeated; what was sent only if it is idempotent. */
  private isRepeatable(failure: Failure): boolean {
    if (this.tried.length > MAX_RETRIES) return false;
    if (failure === FAILURES.refused || failure === FAILURES.connectTimeout) return true;
    if (failure !== FAILURES.reset && failure !== FAILURES.drainCut) return false;
    return !this.hasFirstByte && !this.options.hasBody && IDEMPOTENT.has(this.options.request.method ?? "");
  }

  private countFailure(failure: Failure): void {
    const elapsedMs = failure === FAILURES.timeout ? performance.now() - this.dispatchedAtMs : undefined;
    this.arm?.tally.failed(this.options.group, elapsedMs);
  }

  private countAnswer(code: AnswerClass): void {
    this.arm?.tally.request(this.options.request.method ?? "GET", code);
  }

  private giveUp(failure: Failure): void {
    this.end();
    this.countAnswer("5xx");
    if (failure.lost !== null) this.observer.lost(failure.lost);
    const { response, setCookie } = this.options;
    if (this.observer.isDraining()) response.shouldKeepAlive = false;
    answerProblem(response, failure, setCookie);
  }

  private refuseHeaders(): void {
    this.end();
    answerProblem(this.options.response, REFUSALS.badHeaders);
  }

  /** The instance failed in the middle of its answer: all that can be said is that it is not complete. */
  private breakOff(): void {
    if (this.upstream?.state === "draining") this.observer.lost(FAILURES.drainCut.lost ?? "");
    else this.arm?.tally.brokeOff(this.options.group);
    this.end();
    this.options.response.destroy();
  }

  private leaveUpstream(): void {
    if (this.upstream) this.observer.release(this.upstream);
    this.upstream = null;
  }

  private end(): void {
    this.isOver = true;
    this.leaveUpstream();
  }
}

function flush(exchange: Exchange): void {
  exchange.flush();
}

function nextUpstream(arm: RoutedArm, tried: Upstream[]): Upstream | null {
  const { upstreams } = arm;
  for (let step = 0; step < upstreams.length; step += 1) {
    const upstream = upstreams[arm.next % upstreams.length];
    arm.next = (arm.next + 1) % upstreams.length;
    if (upstream?.state === "routed" && !tried.includes(upstream)) return upstream;
  }
  return null;
}

function classOf(status: number): AnswerClass {
  if (status >= 500) return "5xx";
  if (status >= 400) return "4xx";
  return status >= 300 ? "3xx" : "2xx";
}
