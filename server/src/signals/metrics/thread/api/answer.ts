import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { API_STATUSES, API_TYPES_BY_FAULT, ApiError } from "../../api-error.ts";
import { MetricsError, type ApiAnswer, type ApiCall, type ApiEndpoint } from "../../metrics-store.ts";
import { readParameters } from "../../parameters.ts";
import { toMetricsError } from "../faults.ts";
import type { Answered, ApiContext, Call } from "./call.ts";
import { answerFederate } from "./federate.ts";
import { answerLabels, answerLabelValues, answerMetadata, answerSeries } from "./listings.ts";
import { answerExemplars, answerFormat, answerParse, answerQuery, answerQueryRange } from "./queries.ts";
import { answerTopQueries, answerTsdb } from "./status.ts";

type Endpoint = (call: Call) => Answered | Promise<Answered>;

const ENDPOINTS: Record<ApiEndpoint, Endpoint> = {
  query: answerQuery,
  query_range: answerQueryRange,
  query_exemplars: answerExemplars,
  format_query: answerFormat,
  parse_query: answerParse,
  labels: answerLabels,
  label_values: answerLabelValues,
  series: answerSeries,
  metadata: answerMetadata,
  tsdb: answerTsdb,
  top_queries: answerTopQueries,
  federate: answerFederate,
};

const JSON_TYPE = "application/json";
const GZIP_FROM_BYTES = 1024;
/** The least effort: it is paid for each answer, and gives most of what there is to gain. */
const GZIP_LEVEL = 1;
const compress = promisify(gzip);
const ENCODER = new TextEncoder();

/** Answers a question of the HTTP API with the bytes that go out. */
export async function answerApi(context: ApiContext, call: ApiCall): Promise<ApiAnswer> {
  const { endpoint, subject, search, form, acceptsGzip } = call;
  const parameters = readParameters(search, form);
  const { status, contentType, text } = await run(ENDPOINTS[endpoint], { ...context, parameters, subject });
  const plain = ENCODER.encode(text);
  if (!acceptsGzip || plain.length < GZIP_FROM_BYTES)
    return { status, contentType, isGzip: false, body: plain };
  const body = await compress(plain, { level: GZIP_LEVEL });
  return { status, contentType, isGzip: true, body: new Uint8Array(body) };
}

async function run(endpoint: Endpoint, call: Call) {
  try {
    const answered = await endpoint(call);
    if ("text" in answered) return { status: 200, ...answered };
    const { data, warnings = [], infos = [] } = answered;
    const notes = `${notesJson("warnings", warnings)}${notesJson("infos", infos)}`;
    return { status: 200, contentType: JSON_TYPE, text: `{"status":"success","data":${data}${notes}}` };
  } catch (error) {
    const { type, message } = toApiError(error);
    const text = JSON.stringify({ status: "error", errorType: type, error: message });
    return { status: API_STATUSES[type], contentType: JSON_TYPE, text };
  }
}

function notesJson(name: string, notes: readonly string[]): string {
  return notes.length === 0 ? "" : `,"${name}":${JSON.stringify(notes)}`;
}

function toApiError(cause: unknown): ApiError {
  if (cause instanceof ApiError) return cause;
  const error = toMetricsError(cause);
  if (error instanceof MetricsError) return new ApiError(API_TYPES_BY_FAULT[error.fault], error.message);
  throw cause;
}
