import type { Socket } from "node:net";
import { AnswerError, createAnswerReader, type AnswerReader, type AnswerSink } from "./answer-reader.ts";
import type { AnswerHead } from "./answer-head.ts";

/** What an exchange may do with the connection its answer comes on. */
export interface AnswerController {
  abort(error: Error): void;
  pause(): void;
  resume(): void;
}

/** What an exchange hears of a request, in this order; an error ends it at any point. */
export interface AnswerHandler {
  /** It is about to be sent. */
  onRequestStart(controller: AnswerController): void;
  /** The first byte of an answer is here. */
  onResponseStarted(): void;
  /** Interim answers too. */
  onHead(status: number, reason: string, headers: string[]): void;
  onResponseData(controller: AnswerController, chunk: Buffer): void;
  /** More is to come, but not now. */
  onResponsePart(): void;
  onResponseEnd(): void;
  /** Without a controller the connection was never made. */
  onResponseError(controller: AnswerController | null, error: Error & { code?: string }): void;
}

/** A request without a body that asks for nothing of its connection. */
export interface PlainRequest {
  /** From its first line to the empty one. */
  head: string;
  /** How long the head of the answer may take. */
  timeoutMs: number;
  handler: AnswerHandler;
}

/** Where a connection belongs. */
export interface ConnectionOwner {
  nowMs(): number;
  /** The answer is complete and the connection may be used again, in a while. */
  rest(connection: PlainConnection): void;
  /** It is of no more use. */
  leave(connection: PlainConnection): void;
}

/** Shorter than the 5 s after which node:http closes an idle connection by itself. */
const IDLE_TIMEOUT_MS = 4000;
const MAX_IDLE_TIMEOUT_MS = 60_000;
/** By so much the announced end of an idle connection is kept clear of. */
const IDLE_MARGIN_MS = 2000;

/** One kept-alive connection to an instance: one request at a time. A class, because the hot path uses it. */
export class PlainConnection implements AnswerController, AnswerSink {
  /** When it is closed unless something happens: the time of an answer, or of being idle, is over. */
  dueMs = Infinity;
  private readonly owner: ConnectionOwner;
  private readonly reader: AnswerReader;
  private socket: Socket | null = null;
  private request: PlainRequest | null = null;
  private hasStarted = false;
  private isPaused = false;
  private isKeptAlive = false;
  private idleMs = IDLE_TIMEOUT_MS;

  constructor(owner: ConnectionOwner) {
    this.owner = owner;
    this.reader = createAnswerReader(this);
  }

  /** Takes the socket it was made for; its bytes come through read(). */
  attach(socket: Socket): void {
    this.socket = socket;
    // Whoever waits for an answer holds a connection of its own that keeps the process alive.
    socket.unref();
    socket.once("end", () => this.finish());
    socket.once("error", (error) => this.fail(error));
    socket.once("close", () => this.fail(new Error("The instance closed the connection")));
  }

  send(request: PlainRequest, nowMs: number): void {
    this.request = request;
    this.hasStarted = false;
    this.dueMs = nowMs + request.timeoutMs;
    request.handler.onRequestStart(this);
    if (this.request !== request) return;
    this.reader.begin();
    this.socket?.write(request.head, "latin1");
  }

  read(bytes: Buffer): void {
    if (this.request && !this.hasStarted) {
      this.hasStarted = true;
      this.request.handler.onResponseStarted();
    }
    try {
      this.reader.read(bytes);
    } catch (error) {
      if (!(error instanceof AnswerError)) throw error;
      return this.fail(error);
    }
    if (this.request) this.request.handler.onResponsePart();
  }

  onHead(head: AnswerHead): void {
    const { request } = this;
    if (!request) return;
    const { status, isChunked } = head;
    if (status < 200) return this.passInterim(request, head);
    this.dueMs = Infinity;
    // 204 and 304 have no body: one that is announced might be sent all the same (RFC 9112, section 6.3).
    const isMisleading = (status === 204 || status === 304) && (isChunked || (head.bodyBytes ?? 0) > 0);
    this.isKeptAlive = head.isKeptAlive && !isMisleading;
    this.idleMs = idleTimeOf(head.keepAliveSeconds);
    request.handler.onHead(status, head.reason, head.headers);
  }

  onBody(chunk: Buffer): void {
    this.request?.handler.onResponseData(this, chunk);
  }

  onEnd(): void {
    const { request } = this;
    this.request = null;
    const isReusable = this.isKeptAlive && this.idleMs > 0;
    if (isReusable) {
      if (this.isPaused) this.resume();
      this.owner.rest(this);
    } else this.close();
    request?.handler.onResponseEnd();
  }

  /** Has nothing to do from now on. */
  idleFrom(nowMs: number): void {
    this.dueMs = nowMs + this.idleMs;
  }

  /** Its time is over. */
  expire(): void {
    if (this.request) this.fail(failure("UND_ERR_HEADERS_TIMEOUT", "The instance did not answer in time"));
    else this.close();
  }

  abort(): void {
    this.request = null;
    this.close();
  }

  pause(): void {
    this.isPaused = true;
    this.socket?.pause();
  }

  resume(): void {
    this.isPaused = false;
    this.socket?.resume();
  }

  close(): void {
    this.reader.stop();
    this.socket?.destroy();
    this.owner.leave(this);
  }

  private passInterim(request: PlainRequest, { status, reason, headers, isKeptAlive }: AnswerHead): void {
    // Nobody has asked to go on, or for another protocol; and who closes will not answer any more.
    if (status <= 101 || !isKeptAlive)
      return this.fail(failure("UND_ERR_SOCKET", `An interim answer of ${status} that cannot be one`));
    this.dueMs = this.owner.nowMs() + request.timeoutMs;
    request.handler.onHead(status, reason, headers);
  }

  /** The instance has ended its side. */
  private finish(): void {
    if (!this.reader.finish()) return this.fail(new Error("The instance ended the connection"));
    const { request } = this;
    this.request = null;
    this.close();
    request?.handler.onResponseEnd();
  }

  private fail(error: Error): void {
    const { request } = this;
    this.request = null;
    this.close();
    request?.handler.onResponseError(this, error);
  }
}

function idleTimeOf(announcedSeconds: number | null): number {
  if (announcedSeconds === null) return IDLE_TIMEOUT_MS;
  return Math.min(announcedSeconds * 1000 - IDLE_MARGIN_MS, MAX_IDLE_TIMEOUT_MS);
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
