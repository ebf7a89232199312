import type { ArmCounters, Counters } from "@mainstay/api";
import type { MetricFamily, MetricSample } from "../../kernel/metrics.ts";

/** The data plane's counters, for /metrics. */
export function trafficMetrics(counters: Counters): MetricFamily[] {
  return [
    {
      name: "mainstay_proxy_requests_total",
      help: "Requests by service, arm, method and class of the answer; code none: no answer came.",
      type: "counter",
      samples: counters.requests.map(({ count, ...labels }) => ({ labels, value: count })),
    },
    {
      name: "mainstay_proxy_request_duration_seconds",
      help: "Time from handing a request to an instance until the head of its answer.",
      type: "histogram",
      samples: counters.services.flatMap(({ service, environment, arms }) =>
        arms.flatMap((arm) =>
          histogram({ service, environment, release: arm.release, arm: arm.arm }, arm, counters),
        ),
      ),
    },
    {
      name: "mainstay_proxy_lost_total",
      help: "Requests that the platform itself failed; this must stay 0.",
      type: "counter",
      samples: Object.entries(counters.lost).map(([reason, value]) => ({ labels: { reason }, value })),
    },
    single("mainstay_proxy_aborted_total", "Requests whose client went away.", counters.aborted),
    single(
      "mainstay_proxy_unrouted_total",
      "Requests for a host or path that no service has.",
      counters.unrouted,
    ),
    { ...single("mainstay_proxy_inflight", "Requests under way.", counters.inflight), type: "gauge" },
  ];
}

function single(name: string, help: string, value: number): MetricFamily {
  return { name, help, type: "counter", samples: [{ labels: {}, value }] };
}

/** Classic buckets. */
function histogram(
  labels: Record<string, string>,
  arm: ArmCounters,
  { latencyBoundsMs }: Counters,
): MetricSample[] {
  let cumulative = 0;
  const buckets = [...latencyBoundsMs, Infinity].map((boundMs, bucket): MetricSample => {
    const count = arm.latency.reduce((total, group) => total + (group[bucket] ?? 0), 0);
    cumulative += count;
    const le = boundMs === Infinity ? "+Inf" : String(boundMs / 1000);
    return { suffix: "_bucket", labels: { ...labels, le }, value: cumulative };
  });
  return [
    ...buckets,
    { suffix: "_sum", labels, value: arm.latencySumMs / 1000 },
    { suffix: "_count", labels, value: cumulative },
  ];
}
