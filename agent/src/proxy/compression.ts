import type { IncomingMessage, ServerResponse } from "node:http";
import { constants, createBrotliCompress, createGzip, type BrotliCompress, type Gzip } from "node:zlib";
import { chooseCoding, type Coding } from "./accept-encoding.ts";
import { headerOf, removeHeaders, setHeader } from "./header-list.ts";

/** Below this an answer fits into one packet anyway. */
const MIN_BYTES = 1024;
/** Each costs up to 256 KiB; beyond these answers leave as they are. */
const MAX_ENCODERS = 256;
const GZIP_LEVEL = 5;
/** About the time of gzip at its level 6, for a tenth less bytes. */
const BROTLI = {
  [constants.BROTLI_PARAM_QUALITY]: 4,
  [constants.BROTLI_PARAM_LGWIN]: 18,
};
const COMPRESSIBLE =
  /^(?:text\/(?!event-stream)|image\/svg\+xml|font\/(?:ttf|otf)|[a-z]+\/[a-z0-9.-]+\+(?:json|xml)|application\/(?:json|javascript|xml|manifest\+json|wasm|ld\+json|x-ndjson|vnd\.ms-fontobject)(?:;|\s|$))/i;
/** Answers with one of these are left as they are. */
const FORBIDDING = ["content-encoding", "content-range", "content-digest", "digest", "content-md5"];

type Encoder = Gzip | BrotliCompress;

export interface Answer {
  request: IncomingMessage;
  response: ServerResponse;
  status: number;
  /** Names in lower case and values, flat; altered here. */
  headers: string[];
}

export interface Compressor {
  /** Decides by the head of an answer; from here on, what is written to its response leaves it compressed. */
  apply(answer: Answer): void;
}

/** Compresses answers on their way to clients that take it, each chunk as it comes. */
export function createCompressor(): Compressor {
  let encoders = 0;
  return {
    apply(answer) {
      if (!isCompressible(answer)) return;
      // Told to caches even where this client takes no coding (RFC 9110, section 12.5.5).
      addVary(answer.headers);
      const coding = chooseCoding(answer.request.headers["accept-encoding"]?.toString());
      if (coding === null || encoders >= MAX_ENCODERS) return;
      encoders += 1;
      describeCoded(answer.headers, coding);
      divert(answer.response, createEncoder(coding));
      answer.response.once("close", () => (encoders -= 1));
    },
  };
}

function isCompressible({ request, status, headers }: Answer): boolean {
  if (request.method === "HEAD" || status < 200 || status === 204 || status === 206 || status === 304)
    return false;
  if (!COMPRESSIBLE.test(headerOf(headers, "content-type") ?? "")) return false;
  const length = headerOf(headers, "content-length");
  if (length !== undefined && Number(length) < MIN_BYTES) return false;
  // RFC 9110, section 7.7, and digests over the very bytes that are sent (RFC 9530).
  if (/\bno-transform\b/i.test(headerOf(headers, "cache-control") ?? "")) return false;
  return FORBIDDING.every((name) => headerOf(headers, name) === undefined);
}

function addVary(headers: string[]): void {
  const vary = headerOf(headers, "vary");
  if (vary === undefined) return void headers.push("vary", "Accept-Encoding");
  if (/(?:^|,)\s*(?:\*|accept-encoding)\s*(?:,|$)/i.test(vary)) return;
  setHeader(headers, "vary", `${vary}, Accept-Encoding`);
}

/**
 * Other bytes than the service's: a strong validator would
 * lie (RFC 9110, section 8.8.1), and so would ranges.
 */
function describeCoded(headers: string[], coding: Coding): void {
  removeHeaders(headers, ["content-length", "accept-ranges"]);
  setHeader(headers, "content-encoding", coding);
  const etag = headerOf(headers, "etag");
  if (etag !== undefined && !etag.startsWith("W/")) setHeader(headers, "etag", `W/${etag}`);
}

function createEncoder(coding: Coding): Encoder {
  if (coding === "gzip") return createGzip({ level: GZIP_LEVEL });
  return createBrotliCompress({ params: BROTLI });
}

/**
 * Puts the encoder in front of a response: chunks go in by the same calls as before, and are flushed at
 * the end of their turn, so that a stream stays one. Waiting for room ("drain") holds on both sides.
 */
function divert(response: ServerResponse, encoder: Encoder): void {
  const write = response.write.bind(response);
  const end = response.end.bind(response);
  let isFlushDue = false;

  function flush(): void {
    isFlushDue = false;
    if (!encoder.writableEnded && !encoder.destroyed) encoder.flush();
  }

  encoder.on("data", (chunk: Buffer) => {
    if (write(chunk)) return;
    encoder.pause();
    response.once("drain", () => encoder.resume());
  });
  encoder.once("end", () => end());
  encoder.once("error", () => response.destroy());
  encoder.on("drain", () => response.emit("drain"));
  response.once("close", () => encoder.destroy());

  Object.assign(response, {
    write(chunk: Buffer): boolean {
      const hasRoom = encoder.write(chunk);
      if (!isFlushDue) setImmediate(flush);
      isFlushDue = true;
      return hasRoom;
    },
    end(chunk?: Buffer | string, encoding?: BufferEncoding): ServerResponse {
      if (chunk === undefined) encoder.end();
      else encoder.end(typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk);
      return response;
    },
  });
}
