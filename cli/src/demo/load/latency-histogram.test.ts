import { expect, test } from "vitest";
import { createLatencyHistogram } from "./latency-histogram.ts";

test("quantiles are within 3 % of the true value", () => {
  const histogram = createLatencyHistogram();
  for (let value = 1; value <= 1000; value++) histogram.record(value);
  for (const share of [0.01, 0.5, 0.95, 0.99, 1]) {
    const error = (histogram.quantile(share) ?? 0) / (share * 1000) - 1;
    expect(Math.abs(error)).toBeLessThan(0.03);
  }
});

test("without values there is no quantile, also after a clear", () => {
  const histogram = createLatencyHistogram();
  expect(histogram.quantile(0.5)).toBeNull();
  histogram.record(5);
  histogram.clear();
  expect(histogram.quantile(0.5)).toBeNull();
});

test("values outside of the range count at its ends", () => {
  const histogram = createLatencyHistogram();
  histogram.record(0);
  histogram.record(10 ** 9);
  expect(histogram.quantile(0.5)).toBe(0.05);
  expect(histogram.quantile(1)).toBeGreaterThanOrEqual(120_000);
});
