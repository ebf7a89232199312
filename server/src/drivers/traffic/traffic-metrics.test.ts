import type { Counters } from "@mainstay/api";
import { describe, expect, it } from "vitest";
import { trafficMetrics } from "./traffic-metrics.ts";

const GROUPS = 20;

function arm(name: "stable" | "candidate", release: string, perGroup: number) {
  return {
    ...{ arm: name, release, total: Array<number>(GROUPS).fill(perGroup) },
    errors: [1, ...Array<number>(GROUPS - 1).fill(0)],
    latency: [[2, 1, 0], ...Array.from({ length: GROUPS - 1 }, () => [0, 0, 1])],
    latencySumMs: 1500,
  };
}

function counters(change: string | null): Counters {
  const arms = [arm("stable", "rel_1", 3), arm("candidate", "rel_2", 1)];
  return {
    ...{ bootId: "b", at: "", latencyBoundsMs: [1, 10], requests: [], lost: {}, attempts: [], refused: {} },
    ...{ sentAway: {}, held: 0, aborted: 0, unrouted: 0, inflight: 0 },
    services: [{ service: "shop", environment: "qa", change, arms }],
  };
}

const samplesOf = (change: string | null, name: string) =>
  trafficMetrics(counters(change)).find((family) => family.name === `mainstay_change_${name}`)?.samples;

describe("a change with a candidate in the traffic", () => {
  const labels = { environment: "qa", service: "shop", change: "chg_1" };

  it("tells of each arm what its judge counts", () => {
    expect(samplesOf("chg_1", "requests_total")).toEqual([
      { labels: { ...labels, release: "rel_1", arm: "stable" }, value: 60 },
      { labels: { ...labels, release: "rel_2", arm: "candidate" }, value: 20 },
    ]);
    expect(samplesOf("chg_1", "errors_total")?.map(({ value }) => value)).toEqual([1, 1]);
    expect(samplesOf("chg_1", "request_duration_seconds")?.slice(0, 5)).toMatchObject([
      { suffix: "_bucket", labels: { ...labels, le: "0.001" }, value: 2 },
      { suffix: "_bucket", labels: { le: "0.01" }, value: 3 },
      { suffix: "_bucket", labels: { le: "+Inf" }, value: 22 },
      { suffix: "_sum", value: 1.5 },
      { suffix: "_count", value: 22 },
    ]);
  });

  it("is told of no longer than it has one", () => {
    expect(samplesOf(null, "requests_total")).toEqual([]);
    expect(samplesOf(null, "request_duration_seconds")).toEqual([]);
  });
});
