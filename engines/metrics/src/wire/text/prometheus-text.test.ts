import { describe, expect, it } from "vitest";
import { parsePrometheusText } from "./prometheus-text.ts";
import { parseSeriesText } from "./series-text.ts";
import type { TextMetadata, TextSample } from "./sink.ts";

function read(text: string): { samples: TextSample[]; metadata: TextMetadata[] } {
  const samples: TextSample[] = [];
  const metadata: TextMetadata[] = [];
  parsePrometheusText(text, {
    sample: (each) => samples.push(each),
    metadata: (each) => metadata.push(each),
  });
  return { samples, metadata };
}

const seriesOf = (text: string) => parseSeriesText(text, { isLoose: true }, 1);

describe("Prometheus' text format", () => {
  it("gives samples with their values and times in milliseconds", () => {
    const { samples } = read('a 1\nb{x="y"} -2.5e3 1700000000000\nc +Inf\nd NaN\n');
    expect(samples).toEqual([
      { series: "a", value: 1, timestampMs: null, exemplar: null, line: 1 },
      { series: 'b{x="y"}', value: -2500, timestampMs: 1_700_000_000_000, exemplar: null, line: 2 },
      { series: "c", value: Infinity, timestampMs: null, exemplar: null, line: 3 },
      { series: "d", value: NaN, timestampMs: null, exemplar: null, line: 4 },
    ]);
  });

  it("bears blanks, blank lines, line ends of DOS, comments and a missing last newline", () => {
    const { samples } = read('\n  # a remark\r\n a \t{ x = "y" , } \t 1 \t 5 \r\n\t\nb 2');
    expect(
      samples.map(({ series, value, timestampMs }) => ({ series: series.trim(), value, timestampMs })),
    ).toEqual([
      { series: 'a \t{ x = "y" , }', value: 1, timestampMs: 5 },
      { series: "b", value: 2, timestampMs: null },
    ]);
    expect(seriesOf('a \t{ x = "y" , }')).toEqual({ metric: "a", labels: [["x", "y"]] });
  });

  it("gives types and help, with what is escaped in them", () => {
    const { metadata } = read(
      '# TYPE a counter\n# HELP a one\\ntwo\\\\\n# TYPE b untyped\n# UNIT b s\n# HELP "c.d" x\n',
    );
    expect(metadata.map(({ metric, kind, text }) => [metric, kind, text])).toEqual([
      ["a", "type", "counter"],
      ["a", "help", "one\ntwo\\"],
      ["b", "type", "unknown"],
      ["c.d", "help", "x"],
    ]);
  });

  it.each([
    ["a", "line 1: no value"],
    ["a one", 'line 1: "one" is no value'],
    ["a 0x10", 'line 1: "0x10" is no value'],
    ["a 1_000", 'line 1: "1_000" is no value'],
    ["a 1 1.5", 'line 1: "1.5" is no time in milliseconds'],
    ["a 1 2 3", "line 1: more than a name, a value and a time"],
    ['b 1\na{x="y} 1', "line 2: a brace or a quotation mark is not closed"],
    ["# TYPE a thing", 'line 1: "thing" is no type of a metric'],
  ])("refuses %j and says where", (text, message) => {
    expect(() => read(text)).toThrow(message);
  });
});

describe("the name and labels of a series", () => {
  it.each([
    ["a", { metric: "a", labels: [] }],
    ["a{}", { metric: "a", labels: [] }],
    [
      'a{x="1",y="} # {"}',
      {
        metric: "a",
        labels: [
          ["x", "1"],
          ["y", "} # {"],
        ],
      },
    ],
    ['a{x="\\"\\\\\\n\\t"}', { metric: "a", labels: [["x", '"\\\n\\t']] }],
    ['{"a.b","c d"="e"}', { metric: "a.b", labels: [["c d", "e"]] }],
  ])("of %j are taken apart", (text, expected) => {
    expect(seriesOf(text)).toEqual(expected);
  });

  it.each([
    ['{x="y"}', "the metric has no name"],
    ['a{"b"}', "the metric has two names"],
    ['a{x="1",x="2"}', "the label x stands there twice"],
    ['a{x="1"y="2"}', "a comma is missing after the label x"],
    ["a{x=1}", "the value of the label x is not quoted"],
    ['a{1x="1"}', 'no name of a label begins with "1"'],
    ["a.b", '"a.b" is no name of a metric'],
  ])("of %j are refused", (text, message) => {
    expect(() => seriesOf(text)).toThrow(message);
  });
});
