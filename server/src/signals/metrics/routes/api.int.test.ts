import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { openMetricsHouse, type MetricsHouse } from "../../../../../tests/support/metrics-house.ts";
import { remoteWrite2, RW2_TYPE, type SentSeries } from "../../../../../tests/support/remote-write.ts";

/** https://prometheus.io/docs/prometheus/latest/querying/api/ */

const NOW_MS = Math.floor(Date.now() / 1000) * 1000;
const NOW = NOW_MS / 1000;
const API = "/prometheus/api/v1";
const FORM = "application/x-www-form-urlencoded";
let house: MetricsHouse;

const answered = z.looseObject({
  status: z.string(),
  data: z.unknown().optional(),
  warnings: z.array(z.string()).optional(),
  infos: z.array(z.string()).optional(),
  errorType: z.string().optional(),
  error: z.string().optional(),
});

async function get(at: string, parameters: [string, string][] = []) {
  const answer = await house.ask(`${API}/${at}?${new URLSearchParams(parameters).toString()}`);
  return { ...answered.parse(await answer.json()), code: answer.status };
}

async function post(at: string, parameters: [string, string][]) {
  const body = new URLSearchParams(parameters).toString();
  const answer = await house.ask(`${API}/${at}`, { method: "POST", headers: { "content-type": FORM }, body });
  return answered.parse(await answer.json());
}

const dataOf = async (at: string, parameters: [string, string][] = []) => (await get(at, parameters)).data;

beforeAll(async () => {
  house = await openMetricsHouse();
  const counter = (id: string, factor: number): SentSeries => ({
    labels: [
      ["__name__", "requests_total"],
      ["id", id],
      ["job", "shop"],
    ],
    samples: Array.from({ length: 61 }, (_, index) => [NOW_MS - 600_000 + index * 10_000, index * factor]),
    metadata: { type: 1, help: "Requests.", unit: "" },
  });
  const body = remoteWrite2([
    counter("a", 10),
    counter("b", 20),
    { labels: [["__name__", "temperature"]], samples: [[NOW_MS - 1500, -0.5]] },
    { labels: [["__name__", "latency"]], histograms: [[NOW_MS, 4]] },
    {
      labels: [["__name__", "traced"]],
      samples: [[NOW_MS, 1]],
      exemplars: [{ traceId: "abc", value: 0.25, timestampMs: NOW_MS }],
    },
    {
      labels: [["__name__", "gone"]],
      samples: [
        [NOW_MS - 1000, 1],
        [NOW_MS, "stale"],
      ],
    },
  ]);
  expect((await house.send(body, RW2_TYPE)).status).toBe(204);
}, 60_000);
afterAll(() => house.close());

describe("query", () => {
  const at: [string, string] = ["time", String(NOW)];

  it("answers vectors, with the time as seconds and the value as text", async () => {
    expect(await dataOf("query", [["query", 'requests_total{id="a"}'], at])).toEqual({
      resultType: "vector",
      result: [{ metric: { __name__: "requests_total", id: "a", job: "shop" }, value: [NOW, "600"] }],
    });
  });

  it("answers scalars, strings, ranges and native histograms", async () => {
    expect(await dataOf("query", [["query", "1 / 0"], at])).toEqual({
      ...{ resultType: "scalar", result: [NOW, "+Inf"] },
    });
    expect(await dataOf("query", [["query", '"text"'], at])).toEqual({
      ...{ resultType: "string", result: [NOW, "text"] },
    });
    expect(await dataOf("query", [["query", "temperature[1m]"], at])).toEqual({
      resultType: "matrix",
      result: [{ metric: { __name__: "temperature" }, values: [[(NOW_MS - 1500) / 1000, "-0.5"]] }],
    });
    expect(await dataOf("query", [["query", "latency"], at])).toEqual({
      resultType: "vector",
      result: [
        {
          metric: { __name__: "latency" },
          histogram: [NOW, { count: "4", sum: "2", buckets: [[0, "0.5", "1", "4"]] }],
        },
      ],
    });
  });

  it("leaves out series that have ended", async () => {
    expect(await dataOf("query", [["query", "gone"], at])).toEqual({ resultType: "vector", result: [] });
  });

  it("reads times of RFC 3339, forms, and limits, with a warning when something was left out", async () => {
    const rfc = new Date(NOW_MS).toISOString();
    const answer = await post("query", [
      ["query", "requests_total"],
      ["time", rfc],
      ["limit", "1"],
    ]);
    expect(answer).toMatchObject({
      status: "success",
      data: { result: [{ value: [NOW, "600"] }] },
      warnings: ["results truncated due to limit"],
    });
  });

  it("tells warnings of the language", async () => {
    const { warnings } = await get("query", [["query", "quantile(2, traced)"], at]);
    expect(warnings).toEqual([expect.stringContaining("quantile value should be between 0 and 1")]);
  });

  it("tells ten warnings, and counts the others", async () => {
    const query = Array.from({ length: 12 }, (_, index) => `quantile(${index + 2}, traced)`).join(" or ");
    const { warnings = [] } = await get("query", [["query", query], at]);
    expect([warnings.length, warnings.at(-1)]).toEqual([11, "2 more warning annotations omitted"]);
  });

  it("tells what it took when it is asked, with every field that readers know", async () => {
    const data = await dataOf("query", [["query", "requests_total[5m]"], at, ["stats", "all"]]);
    const [number, none] = [expect.any(Number), 0];
    const samples = { totalQueryableSamples: number, samplesRead: number, peakSamples: number };
    const parts = { resultSortTime: none, queryPreparationTime: none, execQueueTime: none };
    const timings = { evalTotalTime: number, innerEvalTime: number, execTotalTime: number, ...parts };
    expect(data).toMatchObject({ stats: { samples, timings } });
  });

  it("takes the first where a parameter is there several times", async () => {
    const twice: [string, string][] = [["query", "1"], ["query", "1 +"], at, ["time", "noon"]];
    const wanted = { resultType: "scalar", result: [NOW, "1"] };
    expect([await dataOf("query", twice), (await post("query", twice)).data]).toEqual([wanted, wanted]);
  });

  it.each(["0", "-1"])("looks back as always when lookback_delta is %s", async (delta) => {
    const query: [string, string] = ["query", "temperature"];
    expect(await dataOf("query", [query, at, ["lookback_delta", delta]])).toEqual(
      await dataOf("query", [query, at]),
    );
    expect(await dataOf("query", [query, at, ["lookback_delta", "1"]])).toMatchObject({ result: [] });
  });

  it.each([
    ["query?query=up +", "400 bad_data", 'invalid parameter "query": 1:5: parse error'],
    ["query", "400 bad_data", 'invalid parameter "query": 1:1: parse error: no expression found'],
    ["query?query=up&time=noon", "400 bad_data", 'invalid parameter "time": cannot parse "noon"'],
    ["query?query=up&timeout=soon", "400 bad_data", 'invalid parameter "timeout"'],
    ["query?query=up&limit=-1", "400 bad_data", "limit must be non-negative"],
    ['query?query=label_replace(traced, "a", "$1", "b", "(")', "422 execution", "regular expression"],
    ["query?query=requests_total&timeout=0", "503 timeout", "timed out"],
    ["query_range?query=up", "400 bad_data", 'invalid parameter "start"'],
    ["query_range?query=up[1m]&start=0&end=1&step=1", "400 bad_data", 'type "range vector" for range query'],
    ["query_range?query=up&start=10&end=0&step=1", "400 bad_data", "must not be before start time"],
    ["query_range?query=up&start=0&end=10&step=0", "400 bad_data", "zero or negative query resolution step"],
    ["query_range?query=up&start=0&end=11001&step=1", "400 bad_data", "maximum resolution of 11,000 points"],
    ["series", "400 bad_data", "no match[] parameter provided"],
    ["series?match[]=sum(up)", "400 bad_data", "no selector"],
    ["parse_query?query=sum(", "400 bad_data", "parse error"],
    ["rules?type=other", "400 bad_data", 'not supported value "other"'],
    ["metadata?limit=ten", "400 bad_data", "limit must be a number"],
    ["status/tsdb?limit=10001", "400 bad_data", "limit must not exceed 10000"],
  ])("%s is refused with %s", async (address, wanted, words) => {
    const [name = "", search = ""] = address.split("?");
    const { code, error, errorType } = await get(name, [
      ...new URLSearchParams(search.replace(" +", " %2B")),
    ]);
    expect(`${code} ${errorType}`).toBe(wanted);
    expect(error).toContain(words);
  });
});

describe("query_range", () => {
  it("answers a series for each step", async () => {
    const parameters: [string, string][] = [
      ...([
        ["query", "sum(rate(requests_total[2m]))"],
        ["start", String(NOW - 120)],
      ] as [string, string][]),
      ...([
        ["end", String(NOW)],
        ["step", "1m"],
      ] as [string, string][]),
    ];
    const wanted = {
      resultType: "matrix",
      result: [
        {
          metric: {},
          values: [
            [NOW - 120, "3"],
            [NOW - 60, "3"],
            [NOW, "3"],
          ],
        },
      ],
    };
    expect(await dataOf("query_range", parameters)).toEqual(wanted);
    expect((await post("query_range", parameters)).data).toEqual(wanted);
  });

  it("counts whole steps only against the limit of points", async () => {
    const count = async (end: string) =>
      (
        await get("query_range", [
          ["query", "1"],
          ["start", "0"],
          ["end", end],
          ["step", "1"],
        ])
      ).code;
    expect([await count("11000.5"), await count("11001")]).toEqual([200, 400]);
  });
});

describe("what is asked about series", () => {
  it("lists names and values of labels, and series", async () => {
    expect(await dataOf("labels", [["match[]", "requests_total"]])).toEqual(["__name__", "id", "job"]);
    expect(await dataOf("label/id/values")).toEqual(["a", "b"]);
    expect(await dataOf("label/U__id/values")).toEqual(["a", "b"]);
    expect(
      await dataOf("series", [
        ["match[]", 'requests_total{id="b"}'],
        ["match[]", "traced"],
      ]),
    ).toEqual([{ __name__: "requests_total", id: "b", job: "shop" }, { __name__: "traced" }]);
    expect((await post("series", [["match[]", "traced"]])).data).toEqual([{ __name__: "traced" }]);
    expect(await get("label/id/values", [["limit", "1"]])).toMatchObject({
      ...{ data: ["a"], warnings: ["results truncated due to limit"] },
    });
    const [now, before] = [String(NOW - 10), String(NOW - 60)];
    expect(
      await dataOf("series", [
        ["match[]", "requests_total"],
        ["start", now],
        ["end", before],
      ]),
    ).toEqual([]);
    const tomorrow = String(NOW + 86_400);
    expect(await dataOf("labels", [["start", tomorrow]])).toEqual([]);
  });

  it("tells metadata and exemplars", async () => {
    expect(await dataOf("metadata", [["metric", "requests_total"]])).toEqual({
      requests_total: [{ type: "counter", help: "Requests.", unit: "" }],
    });
    expect(await dataOf("metadata", [["limit", "0"]])).toEqual({});
    expect(Object.keys(Object(await dataOf("metadata", [["limit", "-1"]])))).toContain("requests_total");
    expect(await dataOf("query_exemplars", [["query", "rate(traced[5m])"]])).toEqual([
      {
        seriesLabels: { __name__: "traced" },
        exemplars: [{ labels: { trace_id: "abc" }, value: "0.25", timestamp: NOW }],
      },
    ]);
  });

  it("lays queries out, and takes them apart", async () => {
    expect(await dataOf("format_query", [["query", "sum(x)by(job)"]])).toBe("sum by (job) (x)");
    expect(await dataOf("parse_query", [["query", "1"]])).toEqual({ type: "numberLiteral", val: "1" });
  });
});

describe("what stands behind the API", () => {
  it("shows empty lists where nothing is scraped or evaluated", async () => {
    expect(await dataOf("targets")).toEqual({
      ...{ activeTargets: [], droppedTargets: [], droppedTargetCounts: {} },
    });
    expect(await dataOf("targets/metadata")).toEqual([]);
    expect(await dataOf("scrape_pools")).toEqual({ scrapePools: [] });
    expect(await dataOf("rules")).toEqual({ groups: [] });
    expect(await dataOf("alerts")).toEqual({ alerts: [] });
    expect(await dataOf("alertmanagers")).toEqual({ activeAlertmanagers: [], droppedAlertmanagers: [] });
  });

  it("tells which queries cost the most, in the order that is asked for", async () => {
    await get("query", [["query", "sum(requests_total)"]]);
    await get("query", [["query", "vector(1)"]]);
    const top = z.array(z.object({ query: z.string(), count: z.number(), samples: z.number() }));
    const bySamples = top.parse(
      await dataOf("status/top_queries", [
        ["sort", "samples"],
        ["limit", "1000"],
      ]),
    );
    const places = ["sum(requests_total)", "vector(1)"].map((query) =>
      bySamples.findIndex((each) => each.query === query),
    );
    expect(places[0]).toBeGreaterThanOrEqual(0);
    expect(places[1]).toBeGreaterThan(places[0] ?? Infinity);
    expect(await dataOf("status/top_queries", [["limit", "1"]])).toHaveLength(1);
    expect(await get("status/top_queries", [["sort", "size"]])).toMatchObject({ errorType: "bad_data" });
  });

  it("tells its state", async () => {
    expect(await dataOf("status/config")).toEqual({
      yaml: expect.stringMatching(/^global:\n  scrape_interval: /),
    });
    expect(await dataOf("status/flags")).toMatchObject({ "storage.tsdb.retention.time": "15d" });
    expect(await dataOf("status/runtimeinfo")).toMatchObject({ corruptionCount: 0, storageRetention: "15d" });
    expect(await dataOf("status/buildinfo")).toMatchObject({ version: expect.stringMatching(/^3\./) });
    expect(await dataOf("status/walreplay")).toEqual({ min: 0, max: 0, current: 0, state: "done" });
    expect(await dataOf("status/tsdb", [["limit", "1"]])).toMatchObject({
      headStats: { numSeries: 6, maxTime: NOW_MS },
      seriesCountByMetricName: [{ name: "requests_total", value: 2 }],
    });
  });

  it("packs answers for whoever takes that", async () => {
    const answer = await house.ask(
      `${API}/query_range?query=requests_total&start=${NOW - 600}&end=${NOW}&step=5`,
    );
    expect(answer.headers.get("content-encoding")).toBe("gzip");
    const plain = await house.ask(`${API}/labels`, { headers: { "accept-encoding": "identity" } });
    expect(plain.headers.get("content-encoding")).toBe(null);
    const config = await house.ask(`${API}/status/config`);
    expect([config.headers.get("vary"), config.headers.get("content-type")]).toEqual([
      ...["accept-encoding", "application/json"],
    ]);
  });

  it("hands the newest samples on as text", async () => {
    const query = new URLSearchParams([["match[]", '{__name__=~"requests_total|temperature|latency"}']]);
    const answer = await house.ask(`/prometheus/federate?${query.toString()}`);
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect((await answer.text()).split("\n")).toEqual([
      "# 1 series are native histograms, which this format does not have",
      "# TYPE requests_total untyped",
      `requests_total{id="a",job="shop",instance=""} 600 ${NOW_MS}`,
      `requests_total{id="b",job="shop",instance=""} 1200 ${NOW_MS}`,
      "# TYPE temperature untyped",
      `temperature{instance=""} -0.5 ${NOW_MS - 1500}`,
      "",
    ]);
  });
});

it("refuses to federate in plain words", async () => {
  const answer = await house.ask(`/prometheus/federate?match[]=sum(`);
  expect([answer.status, answer.headers.get("content-type")]).toEqual([400, "text/plain; charset=utf-8"]);
  expect(await answer.text()).toMatch(/^1:5: parse error: [^{}]*\n$/);
});

describe("administration", () => {
  const send = (name: string, headers: Record<string, string> = {}) =>
    house.ask(`${API}/admin/tsdb/${name}`, { method: "POST", headers });

  async function newKey(wish: object): Promise<string> {
    const headers = { "content-type": "application/json" };
    const made = await house.ask("/api/v1/keys", { method: "POST", headers, body: JSON.stringify(wish) });
    return `Bearer ${z.looseObject({ secret: z.string() }).parse(await made.json()).secret}`;
  }

  it("takes snapshots, and says so in the audit log", async () => {
    const answer = await send("snapshot");
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ data: { name: expect.stringMatching(/^\d{8}T\d{6}Z-/) } });
    const audit = await house.ask("/api/v1/audit?limit=1");
    expect(await audit.text()).toContain("metrics.snapshot_taken");
    expect((await send("snapshot?skip_head=maybe")).status).toBe(400);
  });

  it("deletes series only after a second factor, or with a key that is exempt", async () => {
    const plain = await newKey({ name: "plain", permissions: ["metrics.admin"] });
    const refused = await send("delete_series?match[]=temperature", { authorization: plain });
    expect([refused.status, await refused.text()]).toEqual([
      403,
      expect.stringContaining("STEP_UP_REQUIRED"),
    ]);
    const wish = { name: "sweeper", permissions: ["metrics.admin"], stepUpExempt: true };
    const authorization = await newKey(wish);
    expect((await send("delete_series", { authorization })).status).toBe(400);
    expect((await send("delete_series?match[]=temperature", { authorization })).status).toBe(204);
    expect(await dataOf("query", [["query", "temperature"]])).toEqual({ resultType: "vector", result: [] });
    expect((await send("clean_tombstones", { authorization })).status).toBe(204);
  });
});
