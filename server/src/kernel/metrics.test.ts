import { beforeEach, describe, expect, it } from "vitest";
import { createVirtualClock, type VirtualClock } from "./clock.ts";
import { createLog } from "./log.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { createProcessMetrics } from "./process-metrics.ts";

let clock: VirtualClock;
let metrics: Metrics;

beforeEach(() => {
  clock = createVirtualClock();
  metrics = createMetrics({
    clock,
    log: createLog({ clock, level: "error", format: "json", write: () => {} }),
  });
});

const samples = async () =>
  (await metrics.render()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));

describe("metrics", () => {
  it("are rendered as Prometheus reads them", async () => {
    const requests = metrics.counter({
      name: "mainstay_http_requests_total",
      help: "Requests\nby \\",
      labels: ["route"],
    });
    requests.add({ route: '/a"b\\c\n' });
    requests.add({ route: '/a"b\\c\n' }, 2);
    expect(await metrics.render()).toBe(
      "# HELP mainstay_http_requests_total Requests\\nby \\\\\n" +
        "# TYPE mainstay_http_requests_total counter\n" +
        'mainstay_http_requests_total{route="/a\\"b\\\\c\\n"} 3\n',
    );
  });

  it("without labels are there from the start", async () => {
    metrics.counter({ name: "mainstay_jobs_done_total", help: "Jobs." });
    metrics.gauge({ name: "mainstay_jobs_waiting_jobs", help: "Jobs." }).set({}, -Infinity);
    expect(await samples()).toEqual(["mainstay_jobs_done_total 0", "mainstay_jobs_waiting_jobs -Inf"]);
  });

  it("count a histogram cumulatively, its bounds included", async () => {
    const took = metrics.histogram({
      name: "mainstay_jobs_took_seconds",
      help: "Time.",
      bounds: [0.1, 1],
      labels: ["job"],
    });
    for (const seconds of [0.05, 0.1, 0.5, 7]) took.observe({ job: "a" }, seconds);
    expect(await samples()).toEqual([
      'mainstay_jobs_took_seconds_bucket{job="a",le="0.1"} 2',
      'mainstay_jobs_took_seconds_bucket{job="a",le="1"} 3',
      'mainstay_jobs_took_seconds_bucket{job="a",le="+Inf"} 4',
      'mainstay_jobs_took_seconds_sum{job="a"} 7.65',
      'mainstay_jobs_took_seconds_count{job="a"} 4',
    ]);
  });

  it("never fall, even when told to", async () => {
    metrics.counter({ name: "mainstay_jobs_done_total", help: "Jobs." }).add({}, -1);
    expect(await samples()).toEqual(["mainstay_jobs_done_total 0"]);
  });

  it("keep at most a thousand series each, and count what that leaves out", async () => {
    const requests = metrics.counter({
      name: "mainstay_http_requests_total",
      help: "Requests.",
      labels: ["user"],
    });
    for (let user = 0; user < 1_003; user += 1) requests.add({ user: String(user) });
    const lines = await samples();
    expect(lines).toContain(
      'mainstay_metrics_dropped_samples_total{metric="mainstay_http_requests_total"} 3',
    );
    expect(lines.filter((line) => line.startsWith("mainstay_http_requests_total"))).toHaveLength(1_000);
  });

  it("refuse a name that breaks the rule, and one that is taken", () => {
    const help = "Help.";
    expect(() => metrics.gauge({ name: "requests", help })).toThrow("mainstay_<room>_<noun>_<unit>");
    expect(() => metrics.counter({ name: "mainstay_http_requests", help })).toThrow("_total is for counters");
    metrics.gauge({ name: "mainstay_http_open_requests", help });
    expect(() => metrics.gauge({ name: "mainstay_http_open_requests", help })).toThrow("there already");
  });
});

describe("collectors", () => {
  it("add what lives elsewhere", async () => {
    metrics.registerCollector("agent", () => [
      {
        name: "mainstay_proxy_lost_total",
        help: "Lost.",
        type: "counter",
        samples: [{ labels: { reason: "x" }, value: 1 }],
      },
    ]);
    expect(await samples()).toEqual(['mainstay_proxy_lost_total{reason="x"} 1']);
  });

  it("that fail or hang are left out and counted, and the rest is served", async () => {
    metrics.counter({ name: "mainstay_jobs_done_total", help: "Jobs." });
    metrics.registerCollector("broken", () => Promise.reject(new Error("no")));
    metrics.registerCollector("stuck", () => new Promise(() => {}));
    const rendered = samples();
    await clock.advance(2_000);
    expect(await rendered).toEqual([
      'mainstay_metrics_collector_failures_total{collector="broken"} 1',
      'mainstay_metrics_collector_failures_total{collector="stuck"} 1',
      "mainstay_jobs_done_total 0",
    ]);
  });
});

describe("the metrics of the process", () => {
  it("tell its cost, and once a second how late the event loop was", async () => {
    const part = createProcessMetrics({ metrics, clock });
    await part.start();
    await clock.advance(3_000);
    await part.stop();
    const text = await metrics.render();
    expect(text).toContain("mainstay_server_event_loop_lag_seconds_count 3\n");
    expect(text).toMatch(/^mainstay_server_resident_memory_bytes [1-9]\d+$/m);
    expect(text).toMatch(/^mainstay_server_open_files ([1-9]\d*|NaN)$/m);
  });
});
