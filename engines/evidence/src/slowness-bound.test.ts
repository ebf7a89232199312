import { describe, expect, it } from "vitest";
import { createSlownessBound } from "./slowness-bound.ts";

const boundsMs = [1, 2, 4, 8, 16];
const P95 = { quantile: 0.95, factor: 1 };

describe("the bound of slow requests", () => {
  it("is unknown until enough requests of the stable release were seen", () => {
    const slowness = createSlownessBound({ boundsMs, ...P95 });
    slowness.observe([199, 0, 0, 0, 0, 0], 0);
    expect(slowness.bound()).toBeNull();
    slowness.observe([1, 0, 0, 0, 0, 0], 1000);
    expect(slowness.bound()).toBe(0);
  });

  it("is the bucket in which the quantile lies", () => {
    const slowness = createSlownessBound({ boundsMs, ...P95 });
    slowness.observe([500, 400, 60, 40, 0, 0], 0);
    expect(slowness.bound()).toBe(2);
  });

  it("can be a multiple of the median, rounded to the nearest bucket", () => {
    const slowness = createSlownessBound({ boundsMs, quantile: 0.5, factor: 1.5 });
    // The median lies at 1 + 500/600 ms; × 1.5 = 2.75 ms, nearer to 2 than to 4 as a ratio.
    slowness.observe([0, 600, 0, 0, 400, 0], 0);
    expect(boundsMs[slowness.bound() ?? -1]).toBe(2);
    // Now at 4 × 200/300 ms; × 1.5 = 4 ms.
    slowness.observe([0, 0, 800, 0, 0, 0], 0);
    expect(boundsMs[slowness.bound() ?? -1]).toBe(4);
  });

  it("forgets: what was usual an hour ago no longer counts", () => {
    const slowness = createSlownessBound({ boundsMs, ...P95 });
    slowness.observe([1000, 0, 0, 0, 0, 0], 0);
    slowness.observe([0, 0, 0, 1000, 0, 0], 3_600_000);
    expect(slowness.bound()).toBe(3);
  });

  it("refuses bounds and histograms that make no sense", () => {
    expect(() => createSlownessBound({ boundsMs: [2, 1], ...P95 })).toThrow(/must rise/);
    expect(() => createSlownessBound({ boundsMs, quantile: 1, factor: 1 })).toThrow(/quantile/);
    expect(() => createSlownessBound({ boundsMs, ...P95 }).observe([1, 2], 0)).toThrow(/6 buckets, got 2/);
  });
});
