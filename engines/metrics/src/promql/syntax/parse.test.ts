import { describe, expect, it } from "vitest";
import { format } from "./format.ts";
import { parse, parseSelector } from "./parse.ts";
import { pretty } from "./pretty.ts";
import { toJson } from "./to-json.ts";

/** Each in the one way in which it is written: parsed and formatted it stays as it is. */
const CANONICAL = [
  "-2 ^ 2",
  "a + b offset 5m * c",
  "-foo @ 3.000 offset -5m",
  'sum by (a, "b c") (rate({__name__="x.y",a="b"}[5m:1m] @ start()))',
  "sum without () (x)",
  "topk by (job) (3, x)",
  "a * on (x) group_left (y) fill_left (3) b",
  "a == bool ignoring (x) b",
  "a and on () b unless c or d",
  "x[5m + step()] anchored",
  "x[(5m - 1m) * 2] @ end() offset max_of(step(), 1m)",
  'label_replace(x, "a\\nb", "$1", "\\xff", ".*")',
  "histogram_quantile(0.9, h </ 5)",
  "max_over_time(rate(x[5m])[1h30m:] offset 1w)",
  "min_of(1, 2)",
  "1h",
  "(a)",
];

describe("the parser", () => {
  it("reads back what the formatter writes", () => {
    for (const query of CANONICAL) expect(format(parse(query))).toBe(query);
  });

  it("reads a selector alone, also one that matches whatever there is", () => {
    expect(parseSelector('a{b!="c"}')).toEqual(expect.objectContaining({ length: 2 }));
    expect(parseSelector('{b!="c"}')).toMatchObject([{ name: "b", operator: "!=", value: "c" }]);
    expect(parseSelector("{}")).toEqual([]);
    for (const text of ["a offset 5m", "a @ 5", "a[5m]", "(a)", "1", "sum(a)", "a anchored"])
      expect(() => parseSelector(text)).toThrow("parse error: expected a selector of series");
    for (const text of ['a{__name__="b"}', '{a=~"("}', "", "a{"])
      expect(() => parseSelector(text)).toThrow("parse error");
  });

  it("lets a suffix belong to the operand before it, and a sign bind less than a power", () => {
    expect(format(parse("(a + b offset 5m)"))).toBe("(a + b offset 5m)");
    expect(parse("a + b offset 5m")).toMatchObject({ kind: "binary", right: { offset: { value: 300 } } });
    expect(parse("-2 ^ 2")).toMatchObject({ kind: "unary", expr: { operator: "^" } });
    expect(parse("2 ^ 3 ^ 2")).toMatchObject({ operator: "^", right: { operator: "^" } });
    expect(parse("a - b - c")).toMatchObject({ operator: "-", left: { operator: "-" } });
  });

  it("reads numbers as Go does", () => {
    const cases = {
      "2.": 2,
      "0x1f": 31,
      "010": 8,
      "1_000": 1000,
      "1e3": 1000,
      ".5": 0.5,
      "5m": 300,
      "1h30m": 5400,
    };
    for (const [text, value] of Object.entries(cases)) expect(parse(text)).toMatchObject({ value });
    expect(() => parse("1e999")).toThrow("1e999");
  });

  it("says what is wrong, and where", () => {
    const cases: Record<string, string> = {
      "": "1:1: parse error: no expression found in input",
      "sum(foo": "1:8: parse error: unexpected end of input",
      "bogus(x)": '1:1: parse error: unknown function with name "bogus"',
      "rate(x)":
        '1:6: parse error: expected type range vector in call to function "rate", got instant vector',
      "foo bar": '1:5: parse error: unexpected "bar"',
      "1 == 1": "1:3: parse error: comparisons between scalars must use BOOL modifier",
      "a + bool b": "1:3: parse error: bool modifier can only be used on comparison operators",
      '{a=~".*"}': "1:1: parse error: vector selector must contain at least one non-empty matcher",
      'x{a=~"b("}': "1:1: parse error: error parsing regexp: missing closing ): `b(`",
      "x{}[5m] offset 1m offset 2m": "1:1: parse error: offset may not be set multiple times",
      "1 and x": '1:1: parse error: set operator "and" not allowed in binary scalar expression',
      "x\n+ rate(y)":
        '2:8: parse error: expected type range vector in call to function "rate", got instant vector',
      "a + on(x) group_left(x) b":
        '1:3: parse error: label "x" must not occur in ON and GROUP clause at once',
      'x{__name__="y"}': '1:1: parse error: metric name must not be set twice: "x" or "y"',
    };
    for (const [query, message] of Object.entries(cases)) expect(() => parse(query)).toThrow(message);
  });

  it("refuses what would exhaust it", () => {
    expect(() => parse("(".repeat(10_000))).toThrow("more than 250 parentheses are open");
    expect(() => parse(`${"-".repeat(20_000)}x`)).toThrow("more than 200 operators");
    expect(() => parse(`1${" + 1".repeat(5_000)}`)).toThrow("more than 200 operators");
    expect(parse(`1${" + 1".repeat(200)}`)).toMatchObject({ kind: "binary" });
    expect(() => parse("x".repeat(70_000))).toThrow("at most 65536 are allowed");
  });
});

describe("several lines", () => {
  it("begin where one would be too long", () => {
    const long = `sum by (job) (rate(${"x".repeat(50)}[5m])) / on (job) sum by (job) (rate(${"y".repeat(50)}[5m]))`;
    expect(
      pretty(parse(long))
        .split("\n")
        .map((line) => line.length),
    ).toEqual([77, 10, 77]);
    expect(format(parse(pretty(parse(long))))).toBe(format(parse(long)));
  });
});

describe("the tree as JSON", () => {
  it("has the shape that Prometheus answers with", () => {
    expect(toJson(parse("rate(x[5m] offset 1m)"))).toEqual({
      type: "call",
      func: { name: "rate", argTypes: ["matrix"], variadic: 0, returnType: "vector" },
      args: [
        {
          type: "matrixSelector",
          name: "x",
          range: 300_000,
          rangeExpr: null,
          offset: 60_000,
          offsetExpr: null,
          matchers: [{ name: "__name__", value: "x", type: "=" }],
          timestamp: null,
          startOrEnd: null,
          anchored: false,
          smoothed: false,
        },
      ],
    });
  });
});
