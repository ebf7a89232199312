import { isFieldLine, parseAnswerHead, type AnswerHead } from "./answer-head.ts";

/** What the reader of a connection finds in its bytes. */
export interface AnswerSink {
  /** Of the answer, or of an interim one (status below 200), after which another follows. */
  onHead(head: AnswerHead): void;
  /** A part of the body; the bytes stay what they are. */
  onBody(chunk: Buffer): void;
  /** The answer is complete. */
  onEnd(): void;
}

export interface AnswerReader {
  /**
   * The next bytes belong to the answer to a request. Until
   * then, and after an answer, any byte is one too many.
   */
  begin(): void;
  /** Throws AnswerError for what is no valid answer. The bytes may change when this has returned. */
  read(bytes: Buffer): void;
  /** The instance has ended the connection: true when that is how the body was to end. */
  finish(): boolean;
  /** Nothing more is wanted, in the middle of what is being read too. */
  stop(): void;
}

/** The instance's bytes are no answer. */
export class AnswerError extends Error {
  override readonly name = "AnswerError";
  readonly code: "ERR_ANSWER_INVALID" | "ERR_ANSWER_TOO_LARGE" | "ERR_ANSWER_UNASKED";

  constructor(code: AnswerError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** What node:http takes of a head by default, here of a head or of all trailing fields. */
const MAX_HEAD_BYTES = 16_384;
const MAX_CHUNK_LINE_BYTES = 4096;
const HEAD_END = Buffer.from("\r\n\r\n");
const LINE_END = Buffer.from("\r\n");
const NOTHING: Buffer = Buffer.alloc(0);
const TOKEN = "[\\w!#$%&'*+.^`|~-]+";
/** RFC 9112, section 7.1: extensions may follow the size, and mean nothing to us. */
const CHUNK_LINE = new RegExp(`^([0-9A-Fa-f]{1,13})(?:;${TOKEN}(?:=(?:${TOKEN}|"[^"\\\\]*"))?)*$`);

/** Reads from a position on: the position after what it has taken, or -1 when it needs more bytes. */
type Step = (bytes: Buffer, at: number) => number;

/** Finds the answers in the bytes of one connection (RFC 9112), which come in pieces of any size. */
export function createAnswerReader(sink: AnswerSink): AnswerReader {
  let step: Step = refuseAll;
  let rest: Buffer = NOTHING;
  let bodyLeft = 0;
  let trailerLeft = 0;

  function refuseAll(): number {
    throw new AnswerError("ERR_ANSWER_UNASKED", "Bytes that no request has asked for");
  }

  function skip(bytes: Buffer): number {
    return bytes.length;
  }

  function readHead(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(HEAD_END, at);
    const size = (end < 0 ? bytes.length : end) - at;
    if (size > MAX_HEAD_BYTES) throw tooLarge("The head");
    if (end < 0) return -1;
    const head = parseAnswerHead(bytes.toString("latin1", at, end + LINE_END.length));
    if (!head) throw invalid("The head");
    if (head.status >= 200) step = stepAfter(head);
    sink.onHead(head);
    if (step === refuseAll) sink.onEnd();
    return end + HEAD_END.length;
  }

  /** RFC 9112, section 6.3. */
  function stepAfter({ status, isChunked, bodyBytes }: AnswerHead): Step {
    if (status === 204 || status === 304 || bodyBytes === 0) return refuseAll;
    if (isChunked) return readChunkLine;
    bodyLeft = bodyBytes ?? Infinity;
    return readBody;
  }

  function readBody(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + bodyLeft);
    bodyLeft -= end - at;
    sink.onBody(copyOf(bytes, at, end));
    if (bodyLeft === 0 && step === readBody) complete();
    return end;
  }

  function complete(): void {
    step = refuseAll;
    sink.onEnd();
  }

  function readChunkLine(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(LINE_END, at);
    if ((end < 0 ? bytes.length : end) - at > MAX_CHUNK_LINE_BYTES) throw tooLarge("The size of a chunk");
    if (end < 0) return -1;
    const size = CHUNK_LINE.exec(bytes.toString("latin1", at, end))?.[1];
    if (size === undefined) throw invalid("The size of a chunk");
    bodyLeft = Number.parseInt(size, 16);
    trailerLeft = MAX_HEAD_BYTES;
    step = bodyLeft === 0 ? readTrailer : readChunk;
    return end + LINE_END.length;
  }

  function readChunk(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + bodyLeft);
    bodyLeft -= end - at;
    sink.onBody(copyOf(bytes, at, end));
    if (bodyLeft === 0 && step === readChunk) step = readChunkEnd;
    return end;
  }

  function readChunkEnd(bytes: Buffer, at: number): number {
    if (bytes.length - at < LINE_END.length) return -1;
    if (bytes[at] !== 0x0d || bytes[at + 1] !== 0x0a) throw invalid("The end of a chunk");
    step = readChunkLine;
    return at + LINE_END.length;
  }

  /** Trailing fields are checked and dropped. */
  function readTrailer(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(LINE_END, at);
    if ((end < 0 ? bytes.length : end) - at > trailerLeft) throw tooLarge("The trailing fields");
    if (end < 0) return -1;
    const next = end + LINE_END.length;
    trailerLeft -= next - at;
    if (end === at) complete();
    else if (!isFieldLine(bytes.toString("latin1", at, next))) throw invalid("A trailing field");
    return next;
  }

  return {
    begin() {
      step = readHead;
    },
    read(bytes) {
      const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      rest = NOTHING;
      let at = 0;
      while (at < all.length) {
        const next = step(all, at);
        if (next < 0) {
          rest = copyOf(all, at, all.length);
          return;
        }
        at = next;
      }
    },
    finish() {
      const isEnd = step === readBody && bodyLeft === Infinity;
      step = skip;
      return isEnd;
    },
    stop() {
      step = skip;
    },
  };
}

function copyOf(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}

function invalid(what: string): AnswerError {
  return new AnswerError("ERR_ANSWER_INVALID", `${what} is not valid HTTP`);
}

function tooLarge(what: string): AnswerError {
  return new AnswerError("ERR_ANSWER_TOO_LARGE", `${what} of an answer is larger than this proxy takes`);
}
