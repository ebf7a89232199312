import type { IncomingMessage } from "node:http";
import { createGunzip, type Gunzip } from "node:zlib";
import { reasonOf } from "../../../kernel/reason-of.ts";
import type { Connection } from "../connection/connection.ts";

/** How one target is asked. */
export interface TextRequest {
  connection: Connection;
  url: string;
  timeoutMs: number;
  /** Unpacked; 0: no limit. */
  bodyBytes: number;
  followRedirects: boolean;
  signal: AbortSignal;
}

export interface FetchedText {
  text: string;
  format: "prometheus" | "openmetrics";
}

/** Why a target gave no text, in words for its last error. */
export class FetchFailed extends Error {
  override name = "FetchFailed";
}

/** What Prometheus asks for, without protobuf. */
const ACCEPT =
  "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4," +
  "text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
const MAX_REDIRECTS = 10;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Asks a target once. Throws FetchFailed. */
export async function fetchText(request: TextRequest): Promise<FetchedText> {
  const late = AbortSignal.timeout(request.timeoutMs);
  const signal = AbortSignal.any([late, request.signal]);
  try {
    const response = await follow({ ...request, signal });
    const format = formatOf(response);
    return { text: await readBody(response, request.bodyBytes, signal), format };
  } catch (error) {
    if (error instanceof FetchFailed) throw error;
    if (late.aborted) throw new FetchFailed(`no whole answer within ${request.timeoutMs / 1000} s`);
    throw new FetchFailed(reasonOf(error), { cause: error });
  }
}

async function follow(request: TextRequest): Promise<IncomingMessage> {
  let url = new URL(request.url);
  let isAnonymous = false;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const response = await send(url, { ...request, isAnonymous });
    const { statusCode = 0, headers } = response;
    if (statusCode === 200) return response;
    response.destroy();
    const { location } = headers;
    if (!request.followRedirects || !REDIRECTS.has(statusCode) || location === undefined)
      throw new FetchFailed(`the target answered with status ${statusCode}`);
    if (!URL.canParse(location, url.href)) throw new FetchFailed("the target sent us to what is no URL");
    const next = new URL(location, url);
    if (next.protocol !== "http:" && next.protocol !== "https:")
      throw new FetchFailed(`the target sent us to ${next.protocol}, which is not HTTP`);
    // What is secret is for the target alone, and not for where it sends us.
    if (next.origin !== url.origin) isAnonymous = true;
    url = next;
  }
  throw new FetchFailed(`the target sent us elsewhere more than ${MAX_REDIRECTS} times`);
}

function send(
  url: URL,
  { connection, timeoutMs, isAnonymous, signal }: TextRequest & { isAnonymous: boolean },
): Promise<IncomingMessage> {
  const headers = {
    accept: ACCEPT,
    "accept-encoding": "gzip",
    "x-prometheus-scrape-timeout-seconds": String(timeoutMs / 1000),
  };
  return connection.send({ url, method: "GET", headers, isAnonymous, signal });
}

/** By the type of the content; without one it is taken for the older text. */
function formatOf(response: IncomingMessage): FetchedText["format"] {
  const type = response.headers["content-type"];
  const name = type?.split(";")[0]?.trim().toLowerCase();
  if (name === "application/openmetrics-text") return "openmetrics";
  if (name === undefined || name === "text/plain") return "prometheus";
  response.destroy();
  throw new FetchFailed(`the answer is ${name}, neither text/plain nor application/openmetrics-text`);
}

async function readBody(response: IncomingMessage, limit: number, signal: AbortSignal): Promise<string> {
  const body = response.headers["content-encoding"] === "gzip" ? unpack(response) : response;
  signal.addEventListener("abort", () => response.destroy(), { once: true });
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (limit > 0 && bytes > limit) {
      response.destroy();
      throw new FetchFailed(`the answer is larger than body_size_limit, ${limit} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function unpack(response: IncomingMessage): Gunzip {
  const gunzip = createGunzip();
  response.once("error", (error) => gunzip.destroy(error));
  return response.pipe(gunzip);
}
