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
    ...changeMetrics(counters),
    {
      name: "mainstay_proxy_lost_total",
      help: "Requests that the platform itself failed; this must stay 0.",
      type: "counter",
      samples: byLabel("reason", counters.lost),
    },
    ...attemptMetrics(counters),
    {
      name: "mainstay_proxy_refused_total",
      help: "Requests and connections that the proxy refused: malformed, too large, too slow, too many.",
      type: "counter",
      samples: byLabel("reason", counters.refused),
    },
    {
      name: "mainstay_proxy_sent_away_total",
      help: "WebSockets and event streams that were told to go because their instance or worker stops.",
      type: "counter",
      samples: byLabel("kind", counters.sentAway),
    },
    single("mainstay_proxy_held_total", "Requests that waited for an instance.", counters.held),
    single("mainstay_proxy_aborted_total", "Requests whose client went away.", counters.aborted),
    single(
      "mainstay_proxy_unrouted_total",
      "Requests for a host or path that no service has.",
      counters.unrouted,
    ),
    { ...single("mainstay_proxy_inflight", "Requests under way.", counters.inflight), type: "gauge" },
  ];
}

/** What the judge of a change reads, of each arm, as long as the change has a candidate in the traffic. */
function changeMetrics(counters: Counters): MetricFamily[] {
  const arms = counters.services.flatMap(({ service, environment, change, arms: both }) =>
    change === null
      ? []
      : both.map((arm) => {
          const labels = { environment, service, release: arm.release, arm: arm.arm, change };
          return { arm, labels };
        }),
  );
  const sum = (groups: number[]) => groups.reduce((total, each) => total + each, 0);
  return [
    {
      name: "mainstay_change_requests_total",
      help: "Requests of an arm, as the judge of the change counts them.",
      type: "counter",
      samples: arms.map(({ arm, labels }) => ({ labels, value: sum(arm.total) })),
    },
    {
      name: "mainstay_change_errors_total",
      help: "Those of them that failed: 5xx, reset, timeout, no answer.",
      type: "counter",
      samples: arms.map(({ arm, labels }) => ({ labels, value: sum(arm.errors) })),
    },
    {
      name: "mainstay_change_request_duration_seconds",
      help: "Time from handing a request to an instance until the head of its answer, as the judge sees it.",
      type: "histogram",
      samples: arms.flatMap(({ arm, labels }) => histogram(labels, arm, counters)),
    },
  ];
}

function attemptMetrics({ attempts }: Counters): MetricFamily[] {
  const samples = (valueOf: (each: Counters["attempts"][number]) => number) =>
    attempts.map((each) => {
      const { service, environment, release, arm } = each;
      return { labels: { service, environment, release, arm }, value: valueOf(each) };
    });
  return [
    {
      name: "mainstay_proxy_retries_total",
      help: "Attempts that failed and were made again on another instance of the release.",
      type: "counter",
      samples: samples((each) => each.retried),
    },
    {
      name: "mainstay_proxy_ejections_total",
      help: "Times an instance was taken out of the rotation because of its failures.",
      type: "counter",
      samples: samples((each) => each.ejected),
    },
  ];
}

function byLabel(name: string, counts: Record<string, number>): MetricSample[] {
  return Object.entries(counts).map(([label, value]) => ({ labels: { [name]: label }, value }));
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
