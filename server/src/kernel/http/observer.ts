import type { Clock } from "../clock.ts";
import type { Metrics } from "../metrics.ts";
import type { Exchange } from "./exchange.ts";

const DURATION_BOUNDS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** What other machines ask every few seconds says nothing new. */
const QUIET_URLS: readonly (string | undefined)[] = [
  ...["/healthz", "/readyz", "/metrics", "/prometheus/api/v1/write", "/otlp/v1/metrics"],
];

export interface ObserverOptions {
  clock: Clock;
  metrics: Metrics;
  inflight: () => number;
}

/**
 * Counts and logs each exchange when it is over; `status` is null when the client hung up before the
 * answer.
 */
export function createObserver({ clock, metrics, inflight }: ObserverOptions) {
  const requests = metrics.counter({
    name: "mainstay_http_requests_total",
    help: "Requests by route and class of the answer; none: the client hung up.",
    labels: ["method", "route", "code"],
  });
  const duration = metrics.histogram({
    name: "mainstay_http_request_duration_seconds",
    help: "From the arrival of the headers to the end of the answer.",
    labels: ["route"],
    bounds: DURATION_BOUNDS_SECONDS,
  });
  metrics.registerCollector("http", () => [
    {
      name: "mainstay_http_inflight_requests",
      help: "Requests being worked on.",
      type: "gauge",
      samples: [{ labels: {}, value: inflight() }],
    },
  ]);

  return (
    exchange: Exchange,
    { method, path, status }: { method: string; path: string; status: number | null },
  ): void => {
    const { route, startedMs, log, authenticated, address, error } = exchange;
    const { actor } = authenticated;
    const durationMs = clock.monotonicMs() - startedMs;
    const name = route?.url ?? "unknown";
    const code = status === null ? "none" : `${Math.floor(status / 100)}xx`;
    requests.add({ method: route ? method : "other", route: name, code });
    if (!route?.stream) duration.observe({ route: name }, durationMs / 1000);

    const fields = { method, path, status, durationMs: Math.round(durationMs), actor: actor.id, address };
    const line = error ? { ...fields, code: error.code } : fields;
    if (error?.code === "INTERNAL") log.error({ ...line, error: error.cause }, "request failed");
    else if (error && error.status >= 500) log.warn({ ...line, error }, "request failed");
    else if (QUIET_URLS.includes(route?.url)) log.debug(line, "request");
    else log.info(line, "request");
  };
}
