import { describe, expect, it } from "vitest";
import { createStatsdMetrics, type StatsdSeries } from "./statsd-metrics.ts";

const LIMITS = { series: 100, setMembers: 100 };

function collected(datagram: string, limits = LIMITS) {
  const metrics = createStatsdMetrics({ limits });
  metrics.receive(datagram);
  const series = new Map(metrics.collect().map((each) => [textOf(each.labels), each]));
  return { metrics, series, value: (name: string) => valueOf(series.get(name)) };
}

const textOf = (labels: StatsdSeries["labels"]) =>
  labels.map(([name, value]) => (name === "__name__" ? value : `${name}=${value}`)).join(" ");
const valueOf = (series: StatsdSeries | undefined) =>
  series && "value" in series ? series.value : undefined;

describe("StatsD", () => {
  it("adds counters up, by their sample rate", () => {
    expect(collected("page.views:1|c\npage.views:2|c|@0.5\n").value("page_views_total")).toBe(5);
  });

  it("sets and moves gauges", () => {
    const { value } = collected("temperature:20|g\ntemperature:-5|g\ntemperature:+1.5|g");
    expect(value("temperature")).toBe(16.5);
  });

  it("takes tags as labels, and several values of a line", () => {
    const { value } = collected("jobs:1:2:3|c|#queue:mail,urgent");
    expect(value("jobs_total queue=mail urgent=true")).toBe(6);
  });

  it("counts different members of a set since the last time", () => {
    const { metrics, value } = collected("users:a|s\nusers:b|s\nusers:a|s");
    expect(value("users")).toBe(2);
    expect(valueOf(metrics.collect()[0])).toBe(0);
  });

  it("makes native histograms of timers, in seconds", () => {
    const { series } = collected("request:500|ms\nrequest:2000|ms|@0.5");
    const histogram = series.get("request_seconds");
    // 0.5 s is the upper bound of bucket -8, 2 s that of bucket 8: 2^(i/8).
    expect(histogram).toMatchObject({
      kind: "histogram",
      histogram: {
        ...{ schema: 3, count: 3, sum: 4.5, zeroCount: 0 },
        positive: { indexes: Int32Array.of(-8, 8), counts: Float64Array.of(1, 2) },
      },
    });
  });

  it("counts what it refuses, and takes the rest of the datagram", () => {
    const { metrics, value } = collected(
      "a:1|c\nnothing\nb:x|c\nc:1|q\nd:1|c|@2\na:-1|c\na:1|g\n_e{1,1}:x|y\n",
    );
    expect(value("a_total")).toBe(1);
    expect(metrics.counts()).toMatchObject({
      lines: 8,
      refused: {
        "something is no name with a value": 1,
        "something is no number": 1,
        "something is no type": 1,
        "something is no sample rate": 1,
        "a counter that falls": 1,
      },
    });
  });

  it("makes no more series than it may, and keeps those it has", () => {
    const { metrics, value } = collected("a:1|c\nb:1|c\na:1|c", { ...LIMITS, series: 1 });
    expect([value("a_total"), value("b_total")]).toEqual([2, undefined]);
    expect(metrics.counts().refused).toEqual({ "more series than the limit": 1 });
    expect(metrics.counts().crowdedOut).toEqual({ count: 1, metric: "b_total" });
  });

  it("refuses a name that comes back with another type", () => {
    expect(collected("a:1|g\na:x|s").metrics.counts().refused).toEqual({ "a name with two types": 1 });
  });
});
