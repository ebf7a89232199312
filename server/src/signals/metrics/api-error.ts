import type { ApiEndpoint, MetricsFault } from "./metrics-store.ts";

/** Errors of the HTTP API by their names, with the statuses that Prometheus answers them with. */
export const API_STATUSES = {
  bad_data: 400,
  execution: 422,
  timeout: 503,
  unavailable: 503,
  internal: 500,
  not_found: 404,
  /** What stands behind us answered what cannot be passed on. */
  bad_response: 502,
} as const;
export type ApiErrorType = keyof typeof API_STATUSES;

/** How the API calls what the store refuses. */
export const API_TYPES_BY_FAULT: Readonly<Record<MetricsFault, ApiErrorType>> = {
  parse: "bad_data",
  malformed: "bad_data",
  execution: "execution",
  "too-much": "execution",
  timeout: "timeout",
  "disk-full": "unavailable",
  unavailable: "unavailable",
};

/** What a question of the HTTP API is refused with. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly type: ApiErrorType;

  constructor(type: ApiErrorType, message: string) {
    super(message);
    this.type = type;
  }
}

/** A parameter that is not what it ought to be. */
export function invalidParameter(name: string, message: string): ApiError {
  return new ApiError("bad_data", `invalid parameter ${JSON.stringify(name)}: ${message}`);
}

/** How it is told: as JSON, or in plain words where answers are text. */
export function refusalOf({ type, message }: ApiError, endpoint: ApiEndpoint | null) {
  const status = API_STATUSES[type];
  if (endpoint === "federate")
    return { status, contentType: "text/plain; charset=utf-8", text: `${message}\n` };
  const text = JSON.stringify({ status: "error", errorType: type, error: message });
  return { status, contentType: "application/json", text };
}
