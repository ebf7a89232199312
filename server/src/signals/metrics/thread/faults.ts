import { MetricsError, type MetricsFault } from "../metrics-store.ts";

const BY_NAME: Readonly<Record<string, MetricsFault>> = {
  ParseError: "parse",
  WireError: "parse",
  TextError: "parse",
};
const BY_FAULT: Readonly<Record<string, MetricsFault>> = {
  execution: "execution",
  "too-much": "too-much",
  timeout: "timeout",
  malformed: "malformed",
  "disk-full": "disk-full",
  closed: "unavailable",
};

/** What an engine refused, as a caller of the store is told; what nobody foresaw stays as it is. */
export function toMetricsError(error: unknown): unknown {
  // By their names: the modules that declare them are loaded when they are needed.
  if (!(error instanceof Error) || error instanceof MetricsError) return error;
  const said = "fault" in error && typeof error.fault === "string" ? BY_FAULT[error.fault] : undefined;
  const fault = said ?? BY_NAME[error.name];
  return fault === undefined ? error : new MetricsError(fault, error.message, { cause: error });
}
