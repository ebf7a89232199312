import { describe, expect, it } from "vitest";
import { parseStrictOpenMetrics } from "./families.ts";
import { parseOpenMetrics } from "./open-metrics.ts";
import type { TextSample } from "./sink.ts";

type Parser = typeof parseOpenMetrics;

function samplesOf(text: string, parse: Parser = parseStrictOpenMetrics): TextSample[] {
  const samples: TextSample[] = [];
  parse(text, { sample: (each) => samples.push(each), metadata() {} });
  return samples;
}

const HISTOGRAM = [
  "# TYPE h histogram",
  'h_bucket{le="1"} 1',
  'h_bucket{le="+Inf"} 3',
  "h_count 3",
  "h_sum 4",
];
const lines = (...texts: string[]) => [...texts, "# EOF", ""].join("\n");

describe("OpenMetrics", () => {
  it("gives times in milliseconds, and exemplars", () => {
    expect(samplesOf(lines("# TYPE a counter", 'a_total 3 1.5 # {trace="x # y"} 0.25 2'))).toEqual([
      {
        ...{ series: "a_total", value: 3, timestampMs: 1500, line: 2 },
        exemplar: { labels: [["trace", "x # y"]], value: 0.25, timestampMs: 2000 },
      },
    ]);
  });

  it("keeps the first of two samples of a series at one time", () => {
    expect(samplesOf(lines("# TYPE a gauge", "a 1 1", "a 2 1", "a 3 2")).map(({ value }) => value)).toEqual([
      1, 3,
    ]);
  });

  it("accepts a whole histogram", () => {
    expect(samplesOf(lines(...HISTOGRAM))).toHaveLength(4);
  });

  it.each([
    ["a sum without a count", HISTOGRAM.toSpliced(3, 1), "has a sum and no count"],
    ["a count without a sum", HISTOGRAM.toSpliced(4, 1), "has a count and no sum"],
    ["no last bucket", HISTOGRAM.toSpliced(2, 1), 'no bucket of le="+Inf"'],
    ["a count unlike the last bucket", HISTOGRAM.with(3, "h_count 2"), "is not that of its last bucket"],
    ["buckets that fall", HISTOGRAM.with(1, 'h_bucket{le="1"} 4'), "holds less than the one before it"],
    [
      "buckets out of order",
      HISTOGRAM.toSpliced(2, 0, 'h_bucket{le="0.5"} 1'),
      "not in the order of their bounds",
    ],
    [
      "metrics that are torn apart",
      ["# TYPE a gauge", 'a{x="1"} 1', 'a{x="2"} 1', 'a{x="1"} 2'],
      "not stand together",
    ],
    ["families that are torn apart", ["a 1", "b 1", "a 2"], "belongs to another metric family"],
    ["time that goes back", ["# TYPE a gauge", "a 1 2", "a 1 1"], "time goes backwards"],
    [
      "a time here and none there",
      ["# TYPE a gauge", "a 1 2", "a 1"],
      "some samples of a metric have a time",
    ],
    ["an exemplar at a gauge", ["# TYPE a gauge", 'a 1 # {x="y"} 1'], "an exemplar cannot stand at a"],
  ])("refuses %s", (_, texts, message) => {
    expect(() => samplesOf(lines(...texts))).toThrow(message);
  });

  it("leaves the rules of families aside where only the grammar is asked for", () => {
    expect(samplesOf(lines("a 1", "b 1", "a 2"), parseOpenMetrics)).toHaveLength(3);
  });

  it.each(["a 1\n", "a 1\n# EOF\nb 1\n", "", "# EO"])("refuses %j, which does not end as it must", (text) => {
    expect(() => samplesOf(text, parseOpenMetrics)).toThrow("# EOF");
  });
});
