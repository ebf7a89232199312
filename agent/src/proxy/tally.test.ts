import { describe, expect, it } from "vitest";
import { LATENCY_BOUNDS_MS } from "./latency-bounds.ts";
import { createTally } from "./tally.ts";

const KEY = { service: "shop", environment: "production", arm: "candidate", release: "rel_2" } as const;

function sum(values: number[] = []): number {
  return values.reduce((total, value) => total + value, 0);
}

describe("a tally", () => {
  it("counts answers, errors and latencies of each group", () => {
    const tally = createTally(KEY);
    tally.answered(0, 0.4, false);
    tally.answered(19, 70_000, true);
    const { total, errors, latency, latencySumMs, ...key } = tally.snapshot();
    expect(key).toEqual({ ...KEY, requests: [], retried: 0, ejected: 0 });
    expect([total[0], total[19], sum(total)]).toEqual([1, 1, 2]);
    expect([errors[0], errors[19]]).toEqual([0, 1]);
    expect(latencySumMs).toBe(70_000.4);
    expect([latency[0]?.[0], latency[19]?.[LATENCY_BOUNDS_MS.length]]).toEqual([1, 1]);
  });

  it("counts what got no answer as an error, with a latency only when it ran out of time", () => {
    const tally = createTally(KEY);
    tally.failed(1);
    tally.failed(2, 5000);
    const { total, errors, latency } = tally.snapshot();
    expect([sum(total), sum(errors), sum(latency.flat())]).toEqual([2, 2, 1]);
  });

  it("counts a broken answer once in the total", () => {
    const tally = createTally(KEY);
    tally.answered(4, 1, false);
    tally.brokeOff(4);
    const { total, errors } = tally.snapshot();
    expect([total[4], errors[4]]).toEqual([1, 1]);
  });

  it("counts requests by method and class, and methods nobody knows as one", () => {
    const tally = createTally(KEY);
    tally.request("GET", "2xx");
    tally.request("GET", "2xx");
    tally.request("BREW", "4xx");
    tally.request("PURGE", "4xx");
    expect(tally.snapshot().requests).toEqual([
      { method: "GET", code: "2xx", count: 2 },
      { method: "OTHER", code: "4xx", count: 2 },
    ]);
  });
});
