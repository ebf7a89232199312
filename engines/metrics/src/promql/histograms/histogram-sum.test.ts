import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CUSTOM_BUCKETS_SCHEMA, type Histogram, NO_BUCKETS } from "../../histogram.ts";
import { divide, equalHistograms, multiply } from "./arithmetic.ts";
import { addHistogram, createHistogramSum, toHistogram } from "./histogram-sum.ts";
import { histogramFraction, histogramQuantile } from "./quantile.ts";
import { detectReset } from "./resets.ts";
import { trim } from "./trim.ts";

function exponential(counts: readonly number[], more: Partial<Histogram> = {}): Histogram {
  const count = counts.reduce((sum, each) => sum + each, 0);
  return {
    schema: 0,
    count: count + (more.zeroCount ?? 0),
    sum: count,
    zeroThreshold: 0.001,
    zeroCount: 0,
    positive: { indexes: Int32Array.from(counts, (_, index) => index), counts: Float64Array.from(counts) },
    negative: NO_BUCKETS,
    customBounds: [],
    resetHint: "unknown",
    ...more,
  };
}

function custom(bounds: readonly number[], counts: readonly number[]): Histogram {
  return exponential(counts, { schema: CUSTOM_BUCKETS_SCHEMA, customBounds: bounds, zeroThreshold: 0 });
}

function add(a: Histogram, b: Histogram, sign: 1 | -1 = 1): Histogram {
  const total = createHistogramSum(a);
  expect(addHistogram(total, b, sign)).toBe(true);
  return toHistogram(total);
}

const counts = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 8 });
const histograms = fc
  .record({
    counts,
    schema: fc.integer({ min: -2, max: 3 }),
    zeroCount: fc.nat(50),
    zeroThreshold: fc.constantFrom(0, 0.001, 0.5, 3),
  })
  .map(({ counts: of, ...more }) => exponential(of, more));

describe("sums of histograms", () => {
  it("lose no observation, whatever the schemas and zero buckets", () => {
    fc.assert(
      fc.property(histograms, histograms, (a, b) => {
        const sum = add(a, b);
        const inBuckets = sum.zeroCount + sum.positive.counts.reduce((total, each) => total + each, 0);
        expect(inBuckets).toBe(a.count + b.count);
        expect(sum.schema).toBe(Math.min(a.schema, b.schema));
        expect(sum.zeroThreshold).toBeGreaterThanOrEqual(Math.max(a.zeroThreshold, b.zeroThreshold));
      }),
    );
  });

  it("do not depend on the order", () => {
    fc.assert(
      fc.property(histograms, histograms, (a, b) => {
        expect(equalHistograms(add(a, b), add(b, a))).toBe(true);
      }),
    );
  });

  it("are undone by a difference when both have one layout", () => {
    const [a, b] = [exponential([1, 2, 3]), exponential([4, 0, 6])];
    expect(equalHistograms(add(add(a, b), b, -1), a)).toBe(true);
  });

  it("of custom buckets keep the bounds that both have", () => {
    const sum = add(custom([1, 2, 3], [1, 2, 3, 4]), custom([2, 4], [5, 6, 7]));
    expect(sum.customBounds).toEqual([2]);
    expect([...sum.positive.counts]).toEqual([8, 20]);
  });

  it("of different kinds do not exist", () => {
    expect(addHistogram(createHistogramSum(exponential([1])), custom([1], [1]))).toBe(false);
  });

  it("tell a reset that meets none", () => {
    const total = createHistogramSum(exponential([1], { resetHint: "reset" }));
    addHistogram(total, exponential([1], { resetHint: "not-reset" }));
    expect([total.hasCollision, total.resetHint]).toEqual([true, "unknown"]);
  });
});

describe("histograms", () => {
  it("are scaled in every number, and become gauges when they turn negative", () => {
    expect(equalHistograms(divide(multiply(exponential([1, 2]), 4), 4), exponential([1, 2]))).toBe(true);
    expect(multiply(exponential([1]), -1).resetHint).toBe("gauge");
  });

  it("were reset when a bucket has fewer than before, also one of a coarser schema", () => {
    const fine = exponential([1, 2, 3, 4], { schema: 1 });
    expect(detectReset(add(fine, fine), fine)).toBe(false);
    expect(detectReset(exponential([9, 1]), exponential([5, 3]))).toBe(true);
    expect(detectReset(exponential([1]), exponential([1], { resetHint: "reset" }))).toBe(false);
    expect(detectReset(exponential([1], { resetHint: "reset" }), exponential([1]))).toBe(true);
  });

  it("have quantiles that fractions lead back from", () => {
    fc.assert(
      fc.property(counts, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (of, q) => {
        const histogram = exponential(of);
        const { value } = histogramQuantile(q, histogram);
        expect(histogramFraction({ lower: -Infinity, upper: value }, histogram).value).toBeCloseTo(q, 6);
      }),
    );
  });

  it("are trimmed into two parts that make up the whole", () => {
    fc.assert(
      fc.property(counts, fc.double({ min: 0.1, max: 200, noNaN: true }), (of, at) => {
        const histogram = exponential(of);
        const parts = trim(histogram, at, "below").count + trim(histogram, at, "above").count;
        expect(parts).toBeCloseTo(histogram.count, 6);
      }),
    );
  });
});
