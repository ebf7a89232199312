import { describe, expect, it } from "vitest";
import { askAt, askOver, FREE, plain, storageOf } from "../testing/ask.ts";
import { createMemoryStorage } from "../testing/memory-storage.ts";
import { NO_BUCKETS, type Histogram } from "../histogram.ts";
import { createLabels } from "../labels.ts";
import { QueryError } from "./evaluation/query-error.ts";
import { queryInstant, queryRange } from "./query.ts";
import { ParseError } from "./syntax/parse-error.ts";

const counter = storageOf(10_000, [
  { labels: { __name__: "c_total", job: "a" }, values: [0, 10, 20, 30, 5, 15, 25] },
  { labels: { __name__: "c_total", job: "b" }, values: [100, 100, 100, 100, 100, 100, 100] },
]);

async function at(query: string, seconds: number, storage = counter) {
  return plain((await askAt(storage, query, seconds)).value);
}

function counted(count: number): Histogram {
  const positive = { indexes: Int32Array.of(0), counts: Float64Array.of(count) };
  const zero = { zeroThreshold: 0, zeroCount: 0 };
  return { schema: 0, count, sum: count, ...zero, positive, ...EMPTY };
}

const EMPTY = { negative: NO_BUCKETS, customBounds: [], resetHint: "unknown" } as const;

describe("ranges", () => {
  it("leave out a sample exactly at their start and hold one exactly at their end", async () => {
    expect(await at("count_over_time(c_total{job='a'}[10s])", 20)).toEqual({ "{job=a}": 1 });
    expect(await at("count_over_time(c_total{job='a'}[11s])", 20)).toEqual({ "{job=a}": 2 });
  });

  it("count what a counter lost at a reset", async () => {
    expect(await at("increase(c_total{job='a'}[60s])", 60)).toEqual({ "{job=a}": 54 });
  });

  it("look back five minutes for an instant sample, and no longer", async () => {
    expect(await at("c_total{job='a'}", 359.999)).toEqual({ "{__name__=c_total,job=a}": 25 });
    expect(await at("c_total{job='a'}", 360)).toEqual({});
  });

  it("of subqueries begin at multiples of their step", async () => {
    const result = await askAt(counter, "c_total{job='a'}[25s:10s]", 47);
    expect(result.value).toMatchObject({ series: [{ timestampsMs: new Float64Array([30_000, 40_000]) }] });
  });
});

describe("a counter whose start is known", () => {
  const storage = createMemoryStorage();
  const samples = [40, 50, 60].map((seconds, index) => ({ timeMs: seconds * 1000, value: 4 * (index + 1) }));
  const write = (name: string, startMs: number | null) =>
    storage.write(
      createLabels([["__name__", name]]),
      samples.map((sample) => (startMs === null ? sample : { ...sample, startMs })),
    );
  write("known", 35_000);
  write("unknown", null);
  write("older", -10_000);

  it("was nothing before it, if that lies in the range", async () => {
    expect(await at("increase(known[60s])", 60, storage)).toEqual({ "{}": 12 });
    expect(await at("increase(unknown[60s])", 60, storage)).toEqual({ "{}": 10 });
    expect(await at("increase(older[60s])", 60, storage)).toEqual({ "{}": 10 });
    expect(await at("increase(known[10s])", 40, storage)).toEqual({ "{}": 4 });
  });

  it("tells it", async () => {
    expect(await at("start_timestamp(known)", 60, storage)).toEqual({ "{}": 35 });
    expect(await at("start_timestamp(unknown)", 60, storage)).toEqual({ "{}": 0 });
  });

  it("has begun anew where the start is another, even without a lower value", async () => {
    const reset = createMemoryStorage();
    const from = (timeMs: number, value: number, startMs: number) => ({ timeMs, value, startMs });
    const written = [from(10_000, 5, 5000), from(20_000, 7, 15_000), from(30_000, 9, 15_000)];
    reset.write(createLabels([["__name__", "c"]]), written);
    expect(await at("resets(c[30s])", 30, reset)).toEqual({ "{}": 1 });
  });
});

describe("extended ranges", () => {
  it("anchored begin with the last sample before them", async () => {
    expect(await at("increase(c_total{job='a'}[25s] anchored)", 35)).toEqual({ "{job=a}": 20 });
    expect(await at("changes(c_total[25s] anchored)", 35)).toEqual({ "{job=a}": 2, "{job=b}": 0 });
  });

  it("smoothed end on the lines between samples", async () => {
    expect(await at("increase(c_total{job='a'}[20s] smoothed)", 25)).toEqual({ "{job=a}": 20 });
    expect(await at("c_total{job='a'} smoothed", 15)).toEqual({ "{__name__=c_total,job=a}": 15 });
  });

  it("answer with a sample at each end", async () => {
    const result = await askAt(counter, "c_total{job='a'}[20s] smoothed", 25);
    expect(result.value).toMatchObject({
      series: [
        {
          timestampsMs: new Float64Array([5_000, 10_000, 20_000, 25_000]),
          values: new Float64Array([5, 10, 20, 25]),
        },
      ],
    });
  });

  it("are refused where they mean nothing", async () => {
    await expect(at("sum_over_time(c_total[25s] anchored)", 35)).rejects.toThrow(
      "anchored modifier can only be used with: changes, delta, increase, rate, resets - not with sum_over_time",
    );
  });
});

describe("durations", () => {
  it("are computed from the step and the range of the query", async () => {
    const result = await askOver(counter, "count_over_time(c_total{job='a'}[step() * 2 + 1s])", [30, 40, 10]);
    expect(plain(result.value)).toEqual({ "{job=a}": [3, 3] });
  });

  it("may be chosen with min_of and max_of, and be an offset", async () => {
    expect(await at("c_total{job='a'} offset max_of(10s, 20s)", 30)).toEqual({
      "{__name__=c_total,job=a}": 10,
    });
    expect(await at("c_total{job='a'} offset -(5s * 2)", 10)).toEqual({ "{__name__=c_total,job=a}": 20 });
  });

  it("may be an expression as the step of a subquery, and calls in calls as an offset", async () => {
    expect(await at("sum_over_time(c_total{job='a'}[30s:(4 - 2) * 5s])", 30)).toEqual({ "{job=a}": 60 });
    expect(await at("sum_over_time(c_total{job='a'}[30s:max_of(5s, 10s)])", 30)).toEqual({ "{job=a}": 60 });
    expect(await at("c_total{job='a'} offset max_of(10s, min_of(20s, 30s)) + 1", 30)).toEqual({
      "{job=a}": 11,
    });
  });

  it("must be greater than 0 in brackets", async () => {
    await expect(at("rate(c_total[5s - 5s])", 30)).rejects.toThrow("duration must be greater than 0");
    await expect(at("rate(c_total[0s])", 30)).rejects.toThrow(
      "1:14: parse error: duration must be greater than 0",
    );
  });
});

describe("vector matching", () => {
  const storage = storageOf(10_000, [
    { labels: { __name__: "x", job: "a" }, values: [1] },
    { labels: { __name__: "x", job: "b" }, values: [2] },
    { labels: { __name__: "y", job: "b" }, values: [10] },
    { labels: { __name__: "y", job: "c" }, values: [20] },
  ]);

  it("fills in what one side lacks", async () => {
    expect(await at("x + fill(0) y", 0, storage)).toEqual({ "{job=a}": 1, "{job=b}": 12, "{job=c}": 20 });
    expect(await at("x + fill_right(5) y", 0, storage)).toEqual({ "{job=a}": 6, "{job=b}": 12 });
    expect(await at("x + fill_left(5) y", 0, storage)).toEqual({ "{job=b}": 12, "{job=c}": 25 });
  });

  it("fills in the one side with fill_right under group_right too, as Prometheus does", async () => {
    expect(await at("x + on(job) group_right fill_right(5) y", 0, storage)).toEqual({
      "{job=b}": 12,
      "{job=c}": 25,
    });
    expect(await at("x + on(job) group_right fill_left(5) y", 0, storage)).toEqual({
      "{job=a}": 6,
      "{job=b}": 12,
    });
  });

  it("refuses two series that match one", async () => {
    await expect(at("x + on() y", 0, storage)).rejects.toThrow(
      "found duplicate series for the match group {} on the right hand-side of the operation",
    );
  });
});

describe("info", () => {
  const storage = storageOf(10_000, [
    { labels: { __name__: "m", instance: "i", job: "j", own: "1" }, values: [1, 2] },
    { labels: { __name__: "target_info", instance: "i", job: "j", data: "d", own: "2" }, values: [1, 1] },
    { labels: { __name__: "build_info", instance: "i", job: "j", build: "7" }, values: [1, 1] },
  ]);

  it("adds the labels of target_info, never over those of the series", async () => {
    expect(await at("info(m)", 10, storage)).toEqual({ "{__name__=m,data=d,instance=i,job=j,own=1}": 2 });
  });

  it("takes the metric and the labels that are asked for", async () => {
    expect(await at('info(m, {__name__="build_info"})', 10, storage)).toEqual({
      "{__name__=m,build=7,instance=i,job=j,own=1}": 2,
    });
    expect(await at('info(m, {data="other"})', 10, storage)).toEqual({});
  });

  it("refuses histograms as info", async () => {
    const labels = { __name__: "h", instance: "i", job: "j" };
    const mixed = storageOf(10_000, [
      { labels: { ...labels, __name__: "m" }, values: [1] },
      { labels, values: [counted(1)] },
    ]);
    await expect(at('info(m, {__name__="h"})', 0, mixed)).rejects.toThrow("has floats, not histograms");
  });
});

describe("native histograms", () => {
  const storage = storageOf(10_000, [
    { labels: { __name__: "h", job: "a" }, values: [counted(1), counted(2)] },
    { labels: { __name__: "h", job: "b" }, values: [counted(2), counted(1)] },
  ]);
  const warningsOf = async (query: string) => (await askAt(storage, query, 10)).warnings;

  it("that were reset are told of in a sum where the function around needs counts alone", async () => {
    expect(await warningsOf("histogram_count(sum(h))")).toEqual([
      "PromQL warning: conflicting counter resets during histogram aggregation (1:21)",
    ]);
    expect(await warningsOf("sum(h)")).toEqual([]);
    expect(await warningsOf("histogram_quantile(0.5, sum(h))")).toEqual([]);
    expect(await warningsOf("histogram_count(sum_over_time(h[10s:5s]))")).toEqual([]);
  });
});

describe("start timestamps", () => {
  const storage = storageOf(10_000, [
    { labels: { __name__: "c_total" }, values: [1, 5, 9], startsMs: [-5_000, -5_000, 15_000] },
  ]);

  it("tell a counter that began anew although it did not fall", async () => {
    expect(await at("resets(c_total[1m])", 20, storage)).toEqual({ "{}": 1 });
    expect(await at("start_timestamp(c_total)", 20, storage)).toEqual({ "{}": 15 });
  });
});

describe("limits", () => {
  const settings = { storage: counter, limits: { ...FREE, maxSamples: 10 } };

  it("end a query that reads too much, and say which", async () => {
    const asked = queryInstant("sum(c_total)", 30_000, settings);
    await expect(asked).rejects.toThrow(QueryError);
    await expect(asked).rejects.toThrow("too many samples into memory in query execution (limit 10)");
  });

  it("end a query over more steps than its memory holds, before they are made", async () => {
    const limits = { ...FREE, maxBytes: 1e6 };
    const asked = queryInstant("sum_over_time(vector(1)[1d:1s])", 86_400_000, { storage: counter, limits });
    await expect(asked).rejects.toMatchObject({ fault: "too-much" });
  });

  it("end a query at its deadline", async () => {
    let now = 0;
    const nowMs = () => (now += 600);
    const limits = { ...FREE, timeoutMs: 1_000, nowMs };
    const asked = queryRange(
      "count(c_total[1m:1ms] or c_total)",
      { startMs: 0, endMs: 1, stepMs: 1 },
      { storage: counter, limits },
    );
    await expect(asked).rejects.toThrow();
    const slow = queryInstant("sum_over_time(c_total[1d:1s])", 60_000, { storage: counter, limits });
    await expect(slow).rejects.toMatchObject({ fault: "timeout" });
  });

  it.each([
    "max_over_time(vector(time() + time() * time())[1500000s:1s])",
    "max_over_time(abs(round(vector(time())))[1500000s:1s])",
    "sum_over_time(sum(c_total + 1)[1500000s:1s])",
    "deriv(vector(time())[1500000s:1s])",
  ])("end a query within the steps of one subquery, however little it reads: %s", async (query) => {
    let now = 0;
    const limits = { ...FREE, timeoutMs: 40, nowMs: () => now++ };
    const asked = queryInstant(query, 60_000, { storage: counter, limits, lookbackMs: 1e12 });
    await expect(asked).rejects.toMatchObject({ fault: "timeout" });
  });

  it("do not stand in the way of a choice over the steps of a subquery", async () => {
    const free = { ...settings, limits: FREE };
    const best = queryInstant("max_over_time(topk(1, vector(7))[200000s:1s])", 0, free);
    expect((await best).value).toMatchObject({ samples: [{ value: 7 }] });
  });

  it("refuse more steps than anybody draws", async () => {
    const range = { startMs: 0, endMs: 12_000_000, stepMs: 1_000 };
    await expect(queryRange("1", range, settings)).rejects.toThrow("exceeded maximum resolution");
    const wrong = queryRange("a[1m]", { ...range, endMs: range.startMs }, settings);
    await expect(wrong).rejects.toThrow(ParseError);
  });
});

describe("sampling", () => {
  it("by ratio chooses complements: what one leaves the other takes", async () => {
    const storage = storageOf(
      10_000,
      Array.from({ length: 50 }, (_, index) => ({
        labels: { __name__: "x", i: String(index) },
        values: [index],
      })),
    );
    const [some, others, all] = await Promise.all(
      ["limit_ratio(0.3, x)", "limit_ratio(-0.7, x)", "x"].map((query) => at(query, 0, storage)),
    );
    expect({ ...Object(some), ...Object(others) }).toEqual(all);
    expect(Object.keys(Object(some)).length + Object.keys(Object(others)).length).toBe(50);
  });
});
