import { API_TYPES_BY_FAULT, ApiError, refusalOf } from "../../api-error.ts";
import { MetricsError, type ApiAnswer, type ApiCall, type ApiEndpoint } from "../../metrics-store.ts";
import { pack } from "../../pack.ts";
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
/** More notes of a kind than these are only counted. */
const NOTES_MAX = 10;
const ENCODER = new TextEncoder();

/** Answers a question of the HTTP API with the bytes that go out. */
export async function answerApi(context: ApiContext, call: ApiCall): Promise<ApiAnswer> {
  const { endpoint, subject, search, form, acceptsGzip } = call;
  const parameters = readParameters(search, form);
  const { status, contentType, text } = await run(endpoint, { ...context, parameters, subject });
  return { status, contentType, ...(await pack(ENCODER.encode(text), acceptsGzip)) };
}

async function run(endpoint: ApiEndpoint, call: Call) {
  try {
    const answered = await ENDPOINTS[endpoint](call);
    if ("text" in answered) return { status: 200, ...answered };
    const { data, warnings = [], infos = [] } = answered;
    const notes = `${notesJson("warning", warnings)}${notesJson("info", infos)}`;
    return { status: 200, contentType: JSON_TYPE, text: `{"status":"success","data":${data}${notes}}` };
  } catch (error) {
    return refusalOf(toApiError(error), endpoint);
  }
}

function notesJson(kind: "warning" | "info", notes: readonly string[]): string {
  if (notes.length === 0) return "";
  const left = notes.length - NOTES_MAX;
  const rest = left > 0 ? [`${left} more ${kind} annotations omitted`] : [];
  return `,"${kind}s":${JSON.stringify([...notes.slice(0, NOTES_MAX), ...rest])}`;
}

function toApiError(cause: unknown): ApiError {
  if (cause instanceof ApiError) return cause;
  const error = toMetricsError(cause);
  if (error instanceof MetricsError) return new ApiError(API_TYPES_BY_FAULT[error.fault], error.message);
  throw cause;
}
