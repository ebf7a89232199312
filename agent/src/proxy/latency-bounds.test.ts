import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { latencyBucket, LATENCY_BOUNDS_MS } from "./latency-bounds.ts";

describe("the latency histogram", () => {
  it("reaches from half a millisecond to a minute in steps of at most a quarter", () => {
    expect([LATENCY_BOUNDS_MS[0], LATENCY_BOUNDS_MS.at(-1)]).toEqual([0.5, 60_000]);
    const ratios = LATENCY_BOUNDS_MS.slice(1).map((bound, index) => bound / (LATENCY_BOUNDS_MS[index] ?? 0));
    expect(Math.min(...ratios)).toBeGreaterThan(1);
    expect(Math.max(...ratios)).toBeLessThanOrEqual(1.25);
  });

  it("counts a latency into the first bucket whose bound it does not exceed", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 120_000, noNaN: true }), (latencyMs) => {
        const expected = LATENCY_BOUNDS_MS.findIndex((bound) => latencyMs <= bound);
        expect(latencyBucket(latencyMs)).toBe(expected === -1 ? LATENCY_BOUNDS_MS.length : expected);
      }),
    );
  });

  it("counts a latency that equals a bound below it", () => {
    for (const [index, bound] of LATENCY_BOUNDS_MS.entries()) expect(latencyBucket(bound)).toBe(index);
  });
});
