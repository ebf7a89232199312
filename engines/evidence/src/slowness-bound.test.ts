import { describe, expect, it } from "vitest";
import { createSlownessBound } from "./slowness-bound.ts";

const boundsMs = [1, 2, 4, 8, 16];

describe("the bound of slow requests", () => {
  it("is unknown until enough requests of the stable release were seen", () => {
    const slowness = createSlownessBound({ boundsMs });
    slowness.observe([199, 0, 0, 0, 0, 0], 0);
    expect(slowness.bound()).toBeNull();
    slowness.observe([1, 0, 0, 0, 0, 0], 1000);
    expect(slowness.bound()).toBe(0);
  });

  it("is the bucket in which the quantile lies", () => {
    const slowness = createSlownessBound({ boundsMs });
    slowness.observe([500, 400, 60, 40, 0, 0], 0);
    expect(slowness.bound()).toBe(2);
  });

  it("can be a multiple of the median, rounded up to a bucket", () => {
    const slowness = createSlownessBound({ boundsMs, quantile: 0.5, factor: 1.5 });
    slowness.observe([0, 600, 0, 0, 400, 0], 0);
    expect(boundsMs[slowness.bound() ?? -1]).toBe(4);
  });

  it("forgets: what was usual an hour ago no longer counts", () => {
    const slowness = createSlownessBound({ boundsMs });
    slowness.observe([1000, 0, 0, 0, 0, 0], 0);
    slowness.observe([0, 0, 0, 1000, 0, 0], 3_600_000);
    expect(slowness.bound()).toBe(3);
  });

  it("refuses bounds and histograms that make no sense", () => {
    expect(() => createSlownessBound({ boundsMs: [2, 1] })).toThrow(/must rise/);
    expect(() => createSlownessBound({ boundsMs, quantile: 1 })).toThrow(/quantile/);
    expect(() => createSlownessBound({ boundsMs }).observe([1, 2], 0)).toThrow(/6 buckets, got 2/);
  });
});
