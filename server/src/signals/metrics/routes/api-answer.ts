import { AppError } from "@mainstay/api";
import { z } from "zod";
import { Reply, reply, type HttpRequest } from "../../../kernel/http/index.ts";
import { API_STATUSES, ApiError, refusalOf } from "../api-error.ts";
import { MetricsError, type ApiCall, type ApiEndpoint } from "../metrics-store.ts";
import { isGzipAccepted, pack } from "../pack.ts";
import { readParameters, type Parameters } from "../parameters.ts";
import type { QueryApi } from "../query-api.ts";
import { readBytes } from "./read-bytes.ts";

export type Query = Record<string, unknown>;
type Request = Pick<HttpRequest<unknown, Query, unknown>, "query" | "content" | "headers" | "signal">;

const FORM = "application/x-www-form-urlencoded";
export const FORM_TYPES: readonly string[] = [FORM];
/** What the routes of the API can answer. */
export const STATUSES: readonly number[] = [200, ...new Set(Object.values(API_STATUSES))];
/** A parameter, which may be there several times. */
export const texts = z.union([z.string(), z.array(z.string())]).optional();
const RETRY_AFTER = { "retry-after": "1" };

/** What the store, or whoever stands in for it, answers to a question of the API. */
export async function askStore(
  api: QueryApi,
  { endpoint, subject = "" }: { endpoint: ApiEndpoint; subject?: string },
  { request, formBytes }: { request: Request; formBytes: number },
) {
  const search = searchOf(request.query);
  const acceptsGzip = wantsGzip(request);
  const call: ApiCall = { endpoint, subject, search, form: await readForm(request, formBytes), acceptsGzip };
  try {
    const { status, contentType, isGzip, body } = await api.answer(call, request.signal);
    const headers = {
      ...headersOf(contentType, isGzip),
      ...(status === API_STATUSES.unavailable ? RETRY_AFTER : {}),
    };
    return reply({ status, headers, body });
  } catch (error) {
    if (error instanceof MetricsError) return refuse(new ApiError("unavailable", error.message), endpoint);
    if (error instanceof ApiError) return refuse(error, endpoint);
    throw error;
  }
}

function wantsGzip({ headers }: Pick<Request, "headers">): boolean {
  return isGzipAccepted(String(headers["accept-encoding"] ?? ""));
}

function headersOf(contentType: string, isGzip: boolean) {
  const packed = isGzip ? { "content-encoding": "gzip" } : {};
  return { "content-type": contentType, vary: "accept-encoding", ...packed };
}

/** What is answered outside of the store: the data of an answer, or a reply as it stands. */
export async function answerHere(
  request: Pick<Request, "query" | "headers">,
  answer: (parameters: Parameters) => unknown,
): Promise<Reply<Uint8Array>> {
  try {
    const data = await answer(readParameters(searchOf(request.query), ""));
    if (data instanceof Reply) return data;
    const plain = Buffer.from(JSON.stringify({ status: "success", data }));
    const { isGzip, body } = await pack(plain, wantsGzip(request));
    return reply({ status: 200, headers: headersOf("application/json", isGzip), body });
  } catch (error) {
    if (error instanceof ApiError) return refuse(error, null);
    throw error;
  }
}

function refuse(error: ApiError, endpoint: ApiEndpoint | null) {
  const { status, contentType, text } = refusalOf(error, endpoint);
  const retry = status === API_STATUSES.unavailable ? RETRY_AFTER : {};
  return reply({ status, headers: { "content-type": contentType, ...retry }, body: Buffer.from(text) });
}

/** What a form in the body holds, as text. */
export async function readForm({ content }: Pick<Request, "content">, limitBytes: number): Promise<string> {
  const bytes = await readBytes(content, limitBytes);
  if (bytes === null) throw new AppError("REQUEST_TOO_LARGE", { limitBytes, setting: "server.bodyLimit" });
  return Buffer.from(bytes).toString();
}

/** The query of an address again, from what was read of it. */
export function searchOf(query: Query | undefined): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {}))
    for (const each of Array.isArray(value) ? value : [value]) search.append(name, String(each));
  return search.toString();
}
