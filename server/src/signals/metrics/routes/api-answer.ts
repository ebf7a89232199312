import { AppError } from "@mainstay/api";
import { Reply, reply, type HttpRequest } from "../../../kernel/http/index.ts";
import { API_STATUSES, ApiError } from "../api-error.ts";
import { MetricsError, type ApiCall, type ApiEndpoint } from "../metrics-store.ts";
import { readParameters, type Parameters } from "../parameters.ts";
import type { QueryApi } from "../query-api.ts";
import { readBytes } from "./read-bytes.ts";

export type Query = Record<string, unknown>;
type Request = Pick<HttpRequest<unknown, Query, unknown>, "query" | "content" | "headers" | "signal">;

const FORM = "application/x-www-form-urlencoded";
export const FORM_TYPES: readonly string[] = [FORM];
/** What the routes of the API can answer. */
export const STATUSES: readonly number[] = [200, ...new Set(Object.values(API_STATUSES))];
const RETRY_AFTER = { "retry-after": "1" };

/** What the store, or whoever stands in for it, answers to a question of the API. */
export async function askStore(
  api: QueryApi,
  { endpoint, subject = "" }: { endpoint: ApiEndpoint; subject?: string },
  { request, formBytes }: { request: Request; formBytes: number },
) {
  const search = searchOf(request.query);
  const acceptsGzip = String(request.headers["accept-encoding"] ?? "").includes("gzip");
  const call: ApiCall = { endpoint, subject, search, form: await readForm(request, formBytes), acceptsGzip };
  try {
    const { status, contentType, isGzip, body } = await api.answer(call, request.signal);
    const headers = {
      ...{ "content-type": contentType, vary: "accept-encoding" },
      ...(isGzip ? { "content-encoding": "gzip" } : {}),
      ...(status === API_STATUSES.unavailable ? RETRY_AFTER : {}),
    };
    return reply({ status, headers, body });
  } catch (error) {
    if (error instanceof MetricsError) return refusal(new ApiError("unavailable", error.message));
    if (error instanceof ApiError) return refusal(error);
    throw error;
  }
}

/** What is answered outside of the store: the data of an answer, or a reply as it stands. */
export async function answerHere(
  request: Pick<Request, "query">,
  answer: (parameters: Parameters) => unknown,
): Promise<Reply<Uint8Array>> {
  try {
    const data = await answer(readParameters(searchOf(request.query), ""));
    if (data instanceof Reply) return data;
    return reply({ status: 200, body: encode({ status: "success", data }) });
  } catch (error) {
    if (error instanceof ApiError) return refusal(error);
    throw error;
  }
}

function refusal({ type, message }: ApiError) {
  const status = API_STATUSES[type];
  const headers = status === API_STATUSES.unavailable ? RETRY_AFTER : {};
  return reply({ status, headers, body: encode({ status: "error", errorType: type, error: message }) });
}

function encode(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/** What a form in the body holds, as text. */
export async function readForm({ content }: Pick<Request, "content">, limitBytes: number): Promise<string> {
  const bytes = await readBytes(content, limitBytes);
  if (bytes === null) throw new AppError("REQUEST_TOO_LARGE", { limitBytes });
  return Buffer.from(bytes).toString();
}

/** The query of an address again, from what was read of it. */
export function searchOf(query: Query | undefined): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {}))
    for (const each of Array.isArray(value) ? value : [value]) search.append(name, String(each));
  return search.toString();
}
