import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Dispatcher } from "undici";
import type { DressAnswer } from "./answer-dressing.ts";
import { describeFailure, isUnsent, mayRepeat } from "./attempts.ts";
import { chooseUpstream } from "./balance.ts";
import { forgive, holdAgainst } from "./ejection.ts";
import { headerOf } from "./header-list.ts";
import { answeredHeaders } from "./headers.ts";
import type { AnswerController, AnswerHandler } from "./plain-connection.ts";
import { answerProblem, answerRefusal, FAILURES, REFUSALS, type Failure, type Refusal } from "./problem.ts";
import { BodyRefused, createRequestBody } from "./request-body.ts";
import type { RoutedArm, RoutedService } from "./routing-table.ts";
import { acceptUpgrade, type Tunnel } from "./tunnel.ts";
import { addStream, type Stream, type Upstream } from "./upstream.ts";
import type { Waiting, WaitingRoom } from "./waiting-room.ts";
import type { AnswerClass, ProxyLimits } from "./worker-protocol.ts";

const ONE_WRITE_BYTES = 16_384;

/** What an exchange tells its worker. */
export interface ExchangeObserver {
  limits: ProxyLimits;
  waitingRoom: WaitingRoom;
  lost(reason: string): void;
  refused(reason: string): void;
  sentAway(kind: string): void;
  held(): void;
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
  /** Empty when there is a plain head. */
  headers: string[];
  /** The bytes to send, of a request that can go by the short way. */
  plainHead: string | null;
  service: RoutedService;
  arm: RoutedArm | null;
  group: number;
  setCookie: string | null;
  hasBody: boolean;
  /** The protocol the client wants to change to; null for plain requests. */
  upgrade: string | null;
}

/**
 * One request on its way: sent to an instance of its arm, retried elsewhere while that is safe, streamed
 * back. A class, because the hot path makes one of these per request and undici calls its methods.
 */
export class Exchange implements Dispatcher.DispatchHandler, AnswerHandler, Stream, Waiting {
  untilMs = 0;
  private readonly options: ExchangeOptions;
  private readonly observer: ExchangeObserver;
  private service: RoutedService;
  private arm: RoutedArm | null;
  private upstream: Upstream | null = null;
  private tried: Upstream[] = [];
  private controller: AnswerController | null = null;
  /** Why it waits, if it does. */
  private waitsFor: Failure = FAILURES.noInstance;
  private startedAtMs = 0;
  private isRepeated = false;
  private hasWaited = false;
  private hasFirstByte = false;
  private hasHeaders = false;
  private hasFlushed = false;
  private isEventStream = false;
  private isOver = false;
  private tunnel: Tunnel | null = null;
  /** The last chunk, held until its turn ends: most answers then leave in one write. */
  private kept: Buffer | null = null;

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
    // A malformed chunk in the same packet has ended the connection already.
    if (this.isOver || this.options.request.socket.destroyed) return;
    this.startedAtMs = performance.now();
    const upstream = this.choose();
    if (upstream) this.dispatch(upstream);
    else this.wait(FAILURES.noInstance);
  }

  /**
   * The client's connection closed: if that was before the end, the instance is told to stop. True: an abort.
   */
  clientClosed(): boolean {
    if (this.isOver) return false;
    this.end();
    if (this.tunnel) return false;
    if (!this.hasHeaders) this.countAnswer("none");
    this.controller?.abort(new Error("the client hung up"));
    return true;
  }

  /** Of Waiting: the table may have changed, and what was tried may be back. */
  retry(): void {
    if (this.isOver) return;
    this.tried = [];
    this.follow();
    const upstream = this.choose();
    if (upstream) this.dispatch(upstream);
    else this.wait(this.waitsFor);
  }

  expire(): void {
    if (!this.isOver) this.giveUp(this.waitsFor);
  }

  /** Of Stream: what may end at any time ends now, in the words of its protocol. */
  goAway(): void {
    if (this.isOver) return;
    if (this.tunnel) {
      this.observer.sentAway(this.tunnel.isWebSocket ? "websocket" : "upgrade");
      return this.tunnel.goAway();
    }
    if (!this.isEventStream) return;
    this.observer.sentAway("event_stream");
    this.flush();
    this.end();
    this.options.response.end();
    this.controller?.abort(new Error("the instance is being stopped"));
  }

  onRequestStart(controller: AnswerController): void {
    this.controller = controller;
    if (this.isOver) return controller.abort(new Error("the client hung up"));
    if (this.hasWaited) this.observer.waitingRoom.open(this.service.key);
  }

  onResponseStarted(): void {
    this.hasFirstByte = true;
  }

  onRequestUpgrade(
    _controller: AnswerController,
    status: number,
    headers: IncomingHttpHeaders,
    instance: Duplex,
  ): void {
    if (this.isOver) return void instance.destroy();
    this.begin("1xx", status);
    this.hasFlushed = true;
    const { request, response, setCookie } = this.options;
    this.tunnel = acceptUpgrade({ request, response, instance, headers, setCookie });
    if (this.upstream) addStream(this.upstream, this);
  }

  onResponseStart(
    _controller: AnswerController,
    status: number,
    headers: IncomingHttpHeaders,
    reason?: string,
  ): void {
    this.onHead(status, reason ?? "", answeredHeaders(headers));
    if (status >= 200) process.nextTick(flush, this);
  }

  onHead(status: number, reason: string, headers: string[]): void {
    if (this.isOver) return;
    const { request, response, setCookie } = this.options;
    if (status < 200) {
      if (request.httpVersionMinor > 0) response.writeInformation(status, headers);
      return;
    }
    this.begin(classOf(status), status);
    this.isEventStream = headerOf(headers, "content-type")?.startsWith("text/event-stream") === true;
    if (setCookie !== null) headers.push("set-cookie", setCookie);
    if (this.observer.isDraining()) response.shouldKeepAlive = false;
    this.observer.dress({ request, response, settings: this.service.answers, status, headers });
    response.writeHead(status, reason, headers);
  }

  onResponsePart(): void {
    if (this.hasHeaders) this.flush();
  }

  onResponseData(controller: AnswerController, chunk: Buffer): void {
    if (this.isOver) return;
    if (this.kept) this.write(this.kept, controller);
    this.kept = chunk;
    if (this.hasFlushed) this.flush();
  }

  onResponseEnd(): void {
    if (this.isOver) return;
    this.end();
    const { response } = this.options;
    if (!this.kept) response.end();
    else if (this.hasFlushed || this.kept.length > ONE_WRITE_BYTES) response.end(this.kept);
    // As text of one byte a character it leaves with the head in one write, which costs a tenth less CPU.
    else response.end(this.kept.toString("latin1"), "latin1");
  }

  onResponseError(controller: AnswerController | null, error: Error & { code?: string }): void {
    if (this.isOver) return;
    if (!controller && error.code === "UND_ERR_INVALID_ARG") return this.refuse(REFUSALS.badHeaders);
    if (error instanceof BodyRefused) return this.refuse(error.refusal);
    if (this.hasHeaders) return this.breakOff();
    const isConnected = this.controller !== null;
    const failure = describeFailure(error, { isConnected, upstream: this.upstream });
    if (failure !== FAILURES.drainCut) this.holdAgainst(isUnsent(failure) ? "connect" : "answer");
    this.leaveUpstream();
    const failed = this.arm;
    this.follow();
    const isRepeatable = this.isRepeatable(failure);
    if (!isRepeatable && !isUnsent(failure)) return this.giveUp(failure);
    this.isRepeated ||= !isUnsent(failure);
    const upstream = isRepeatable ? this.choose() : null;
    if (!upstream) return this.wait(failure);
    failed?.tally.retried();
    this.dispatch(upstream);
  }

  /** At the end of the turn: sends what is there, so that streams and slow bodies are not held back. */
  flush(): void {
    if (this.isOver) return;
    const isFirst = !this.hasFlushed;
    if (isFirst && !this.kept) this.options.response.flushHeaders();
    this.hasFlushed = true;
    if (this.kept && this.controller) this.write(this.kept, this.controller);
    this.kept = null;
    if (isFirst && this.upstream) addStream(this.upstream, this);
  }

  private write(chunk: Buffer, controller: AnswerController): void {
    if (this.options.response.write(chunk)) return;
    controller.pause();
    this.options.response.once("drain", () => {
      if (!this.isOver) controller.resume();
    });
  }

  private dispatch(upstream: Upstream): void {
    const { request, path, headers, plainHead, hasBody, upgrade } = this.options;
    this.upstream = upstream;
    upstream.inflight += 1;
    this.tried.push(upstream);
    this.controller = null;
    this.hasFirstByte = false;
    const { requestTimeoutMs } = this.service;
    if (plainHead !== null)
      return upstream.plain.send({ head: plainHead, timeoutMs: requestTimeoutMs, handler: this });
    const method = request.method ?? "GET";
    const body = hasBody ? createRequestBody(request, this.observer.limits) : null;
    upstream.pool.dispatch({ path, method, headers, body, headersTimeout: requestTimeoutMs, upgrade }, this);
  }

  /** The head of the answer is here: this is what the release is judged by. */
  private begin(code: AnswerClass, status: number): void {
    this.hasHeaders = true;
    const isError = status >= 500;
    this.arm?.tally.answered(this.options.group, performance.now() - this.startedAtMs, isError);
    this.countAnswer(code);
    if (isError) this.holdAgainst("answer");
    else if (this.upstream) forgive(this.upstream.ejection);
  }

  /** From now on by the table that is in force. */
  private follow(): void {
    this.service = this.observer.current(this.service);
    if (this.arm) this.arm = this.service[this.arm.arm] ?? this.service.stable;
  }

  /**
   * The next instance of the arm that was not tried yet. A request that no instance of the candidate has
   * seen may go to the stable arm; that is held against the candidate.
   */
  private choose(): Upstream | null {
    const own = this.arm && chooseUpstream(this.arm, this.tried, performance.now());
    const { stable } = this.service;
    if (own || this.isRepeated || this.arm?.arm !== "candidate" || !stable) return own;
    const fallback = chooseUpstream(stable, this.tried, performance.now());
    if (!fallback) return null;
    this.arm.tally.failed(this.options.group);
    this.arm = stable;
    this.startedAtMs = performance.now();
    return fallback;
  }

  private isRepeatable(failure: Failure): boolean {
    const { hasBody, request } = this.options;
    const { hasFirstByte, isRepeated } = this;
    const method = request.method ?? "GET";
    return mayRepeat(failure, { attempts: this.tried.length, method, hasBody, hasFirstByte, isRepeated });
  }

  /** No other instance can be reached: one may be restarting, which is worth a wait. */
  private wait(failure: Failure): void {
    const { holdTimeoutMs, key } = this.service;
    this.waitsFor = failure;
    this.untilMs = this.startedAtMs + holdTimeoutMs;
    const isWorthIt = this.arm !== null && performance.now() < this.untilMs;
    if (!isWorthIt || !this.observer.waitingRoom.enter(key, this)) return this.giveUp(failure);
    if (!this.hasWaited) this.observer.held();
    this.hasWaited = true;
  }

  private holdAgainst(kind: "connect" | "answer"): void {
    if (this.upstream && holdAgainst(this.upstream.ejection, kind, performance.now()))
      this.arm?.tally.ejected();
  }

  private countAnswer(code: AnswerClass): void {
    this.arm?.tally.request(this.options.request.method ?? "GET", code);
  }

  private giveUp(failure: Failure): void {
    const elapsedMs = failure === FAILURES.timeout ? performance.now() - this.startedAtMs : undefined;
    if (failure !== FAILURES.drainCut) this.arm?.tally.failed(this.options.group, elapsedMs);
    this.end();
    this.countAnswer("5xx");
    if (failure.lost !== null) this.observer.lost(failure.lost);
    const { response, setCookie } = this.options;
    if (this.observer.isDraining()) response.shouldKeepAlive = false;
    answerProblem(response, failure, setCookie);
  }

  /** The client's doing, so nothing is held against the release. */
  private refuse(refusal: Refusal): void {
    if (refusal.reason !== null) this.observer.refused(refusal.reason);
    const { request, response } = this.options;
    this.end();
    if (this.hasHeaders) return void response.destroy();
    this.countAnswer("4xx");
    answerRefusal(request, response, refusal);
  }

  /** The instance failed in the middle of its answer: all that can be said is that it is not complete. */
  private breakOff(): void {
    if (this.upstream?.state === "draining") this.observer.lost(FAILURES.drainCut.lost ?? "");
    else this.arm?.tally.brokeOff(this.options.group);
    this.end();
    this.options.response.destroy();
  }

  private leaveUpstream(): void {
    if (!this.upstream) return;
    if (this.hasFlushed) this.upstream.streams.delete(this);
    this.observer.release(this.upstream);
    this.upstream = null;
  }

  private end(): void {
    this.isOver = true;
    if (this.hasWaited) this.observer.waitingRoom.leave(this.service.key, this);
    this.leaveUpstream();
  }
}

function flush(exchange: Exchange): void {
  exchange.flush();
}

function classOf(status: number): AnswerClass {
  if (status >= 500) return "5xx";
  if (status >= 400) return "4xx";
  return status >= 300 ? "3xx" : "2xx";
}
