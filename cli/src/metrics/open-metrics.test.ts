import { expect, it } from "vitest";
import { toOpenMetrics } from "./open-metrics.ts";

it("series are written by metric, with every sample and its time, until the end is marked", () => {
  const { text, samples, left } = toOpenMetrics([
    {
      metric: { __name__: "b_total", job: 'a"\\\n' },
      values: [
        [1.5, "3"],
        [16.5, "+Inf"],
      ],
    },
    { metric: { __name__: "a" }, values: [[1, "NaN"]], histograms: [{}] },
    { metric: { __name__: "b_total" }, values: [[2, "1"]] },
    { metric: { __name__: "c.d", "e.f": "g" }, values: [[2, "1"]] },
    { metric: { __name__: "native" }, histograms: [{}, {}] },
  ]);
  expect(text).toBe(`# TYPE a unknown
a NaN 1
# TYPE b_total unknown
b_total{job="a\\"\\\\\\n"} 3 1.5
b_total{job="a\\"\\\\\\n"} +Inf 16.5
b_total 1 2
# TYPE "c.d" unknown
{"c.d","e.f"="g"} 1 2
# EOF
`);
  expect([samples, left]).toEqual([5, 3]);
});
