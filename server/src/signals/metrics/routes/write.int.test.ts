import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openMetricsHouse, type MetricsHouse } from "../../../../../tests/support/metrics-house.ts";
import {
  remoteWrite1,
  remoteWrite2,
  RW1_TYPE,
  RW2_TYPE,
  snappy,
  type SentSeries,
} from "../../../../../tests/support/remote-write.ts";

/**
 * Rules of https://prometheus.io/docs/specs/prw/remote_write_spec/
 * and …/remote_write_spec_2_0/, as a receiver.
 */

const NOW_MS = Date.now();
const WRITTEN = "x-prometheus-remote-write-";
let house: MetricsHouse;

beforeAll(async () => {
  house = await openMetricsHouse({ bodyLimit: "1MiB", cardinality: { perMetric: 20 } });
}, 60_000);
afterAll(() => house.close());

const named = (name: string, ...labels: [string, string][]): SentSeries["labels"] => [
  ["__name__", name],
  ...labels,
];

interface Case {
  rule: string;
  series: SentSeries[];
  status: number;
  /** Samples, histograms and exemplars that are told to be written. */
  written: [number, number, number];
  /** What the refusal says. */
  says?: string[];
}

const at = (offsetMs: number) => NOW_MS + offsetMs;
const one = (labels: SentSeries["labels"], offsetMs = 0, value = 1): SentSeries => ({
  labels,
  samples: [[at(offsetMs), value]],
});

const CASES: Case[] = [
  { rule: "samples are answered 204", series: [one(named("plain"))], status: 204, written: [1, 0, 0] },
  {
    rule: "several samples of several series are one request",
    series: [
      {
        labels: named("many", ["a", "1"]),
        samples: [
          [at(-2000), 1],
          [at(-1000), 2],
        ],
      },
      { labels: named("many", ["a", "2"]), samples: [[at(-2000), 1]] },
    ],
    ...{ status: 204, written: [3, 0, 0] },
  },
  {
    rule: "a repeated sample counts as written",
    series: [one(named("plain"))],
    ...{ status: 204, written: [1, 0, 0] },
  },
  {
    rule: "staleness markers are samples",
    series: [
      {
        labels: named("ended"),
        samples: [
          [at(-1000), 1],
          [at(0), "stale"],
        ],
      },
    ],
    ...{ status: 204, written: [2, 0, 0] },
  },
  {
    rule: "native histograms are counted by themselves",
    series: [{ labels: named("latency"), histograms: [[at(0), 4]] }],
    ...{ status: 204, written: [0, 1, 0] },
  },
  {
    rule: "exemplars are counted by themselves",
    series: [{ ...one(named("traced")), exemplars: [{ traceId: "abc", value: 1, timestampMs: at(0) }] }],
    ...{ status: 204, written: [1, 0, 1] },
  },
  {
    rule: "another value at the same time is refused",
    series: [one(named("plain"), 0, 2)],
    ...{ status: 400, written: [0, 0, 0], says: ["duplicate", `__name__="plain"`] },
  },
  {
    rule: "what is older than the window is refused, and the rest written",
    series: [one(named("late"), 0), one(named("late"), -3_600_000), one(named("punctual"))],
    ...{ status: 400, written: [2, 0, 0], says: ["1 sample refused (too-old)", `__name__="late"`] },
  },
  {
    rule: "samples within the window may be out of order",
    series: [
      {
        labels: named("mixed"),
        samples: [
          [at(0), 1],
          [at(-60_000), 2],
          [at(-30_000), 3],
        ],
      },
    ],
    ...{ status: 204, written: [3, 0, 0] },
  },
  {
    rule: "what lies far ahead is refused",
    series: [one(named("future"), 86_400_000)],
    ...{ status: 400, written: [0, 0, 0], says: ["too-far-ahead"] },
  },
  {
    rule: "a series without a name is refused, and the rest written",
    series: [one([["job", "x"]]), one(named("with_name"))],
    ...{ status: 400, written: [1, 0, 0], says: ["invalid-labels", `job="x"`] },
  },
  {
    rule: "an empty name counts as none",
    series: [one(named(""))],
    ...{ status: 400, written: [0, 0, 0], says: ["no name of a metric"] },
  },
  {
    rule: "a label that stands there twice is refused",
    series: [one(named("twice", ["a", "1"], ["a", "2"]))],
    ...{ status: 400, written: [0, 0, 0], says: ["the label a stands there twice"] },
  },
  {
    rule: "a label without a name is refused",
    series: [one(named("unnamed", ["", "1"]))],
    ...{ status: 400, written: [0, 0, 0], says: ["a label without a name"] },
  },
  {
    rule: "an empty value is no label",
    series: [one(named("emptied", ["a", ""]))],
    ...{ status: 204, written: [1, 0, 0] },
  },
  {
    rule: "labels in another order are the same series",
    series: [
      one(named("ordered", ["a", "1"], ["b", "2"])),
      one(
        [
          ["b", "2"],
          ["a", "1"],
          ["__name__", "ordered"],
        ],
        -1000,
      ),
    ],
    ...{ status: 204, written: [2, 0, 0] },
  },
  {
    rule: "names and values may be any text",
    series: [
      one([
        ["__name__", "größe.größer"],
        ["schlüssel.wort", "🔑"],
      ]),
    ],
    ...{ status: 204, written: [1, 0, 0] },
  },
  {
    rule: "beyond a budget new series are refused, and the label or limit is named",
    series: Array.from({ length: 25 }, (_, index) => one(named("wide", ["id", String(index)]))),
    ...{
      status: 400,
      written: [20, 0, 0],
      says: ["5 samples refused (seriesPerMetric)", "wide has 20 series"],
    },
  },
  { rule: "a request without series is fine", series: [], status: 204, written: [0, 0, 0] },
];

describe.each([
  { version: "1.0", encode: remoteWrite1, type: RW1_TYPE, prefix: "one_" },
  { version: "2.0", encode: remoteWrite2, type: RW2_TYPE, prefix: "two_" },
])("remote-write $version", ({ encode, type, prefix }) => {
  const prefixed = (series: SentSeries): SentSeries => ({
    ...series,
    labels: series.labels.map(([name, value]) => [
      name,
      name === "__name__" && value !== "" ? `${prefix}${value}` : value,
    ]),
  });

  it.each(CASES)("$rule", async ({ series, status, written, says = [] }) => {
    const answer = await house.send(encode(series.map(prefixed)), type);
    const text = await answer.text();
    expect([answer.status, text]).toEqual([status, status === 204 ? "" : text]);
    const told = ["samples", "histograms", "exemplars"].map((what) =>
      Number(answer.headers.get(`${WRITTEN}${what}-written`)),
    );
    expect(told).toEqual(written);
    for (const word of says)
      expect(text).toContain(word.replace(/(__name__="|^)(?=plain|late|wide)/, `$1${prefix}`));
  });

  it("keeps metadata under the name of the family", async () => {
    const metadata = { type: 3, help: "How long.", unit: "seconds" };
    const name = type === RW2_TYPE ? `${prefix}duration_bucket` : `${prefix}duration`;
    await house.send(encode([{ ...one(named(name, ["le", "1"])), metadata }]), type);
    const answer = await house.ask(`/prometheus/api/v1/metadata?metric=${prefix}duration`);
    const told = [{ type: "histogram", help: "How long.", unit: "seconds" }];
    expect(await answer.json()).toEqual({ status: "success", data: { [`${prefix}duration`]: told } });
  });

  it("refuses what is no message", async () => {
    const answer = await house.send(snappy(new Uint8Array([1, 2, 3, 4])), type);
    expect([answer.status, answer.headers.get("content-type")]).toEqual([400, "text/plain; charset=utf-8"]);
  });

  it("refuses what is not compressed as it says", async () => {
    const answer = await house.send(new TextEncoder().encode("not snappy at all"), type);
    expect(answer.status).toBe(400);
  });
});

describe("a full disk", () => {
  it("is told as 503, which senders try again, and queries go on", async () => {
    const full = await openMetricsHouse({ minFree: "1000000GiB" });
    try {
      const answer = await full.send(remoteWrite2([one(named("plain"))]), RW2_TYPE);
      expect([answer.status, await answer.text()]).toEqual([
        503,
        expect.stringContaining("no space is left"),
      ]);
      expect(answer.headers.get("retry-after")).toBe("5");
      expect((await full.ask("/prometheus/api/v1/query?query=plain")).status).toBe(200);
    } finally {
      await full.close();
    }
  }, 60_000);
});

describe("a receiver of both versions", () => {
  it("takes the parameter proto by its name", async () => {
    const series = [one(named("by_name"))];
    const first = await house.send(remoteWrite1(series), `${RW1_TYPE}; proto=prometheus.WriteRequest`);
    expect(first.status).toBe(204);
    const other = await house.send(remoteWrite1(series), `${RW1_TYPE};proto=io.prometheus.write.v3.Request`);
    expect([other.status, await other.text()]).toEqual([415, expect.stringContaining("proto")]);
  });

  it("refuses other media types and encodings with 415", async () => {
    const body = remoteWrite1([one(named("typed"))]);
    expect((await house.send(body, "application/json")).status).toBe(415);
    const answer = await house.send(body, RW1_TYPE, { "content-encoding": "zstd" });
    expect([answer.status, await answer.text()]).toEqual([415, expect.stringContaining("snappy")]);
  });

  it("refuses 2.0 whose first symbol is not empty", async () => {
    const body = remoteWrite2([one(named("symbols"))], { firstSymbol: "x" });
    const answer = await house.send(body, RW2_TYPE);
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining("symbol")]);
  });

  it("refuses what is larger than the limit, also when only its inside is", async () => {
    const large = await house.send(new Uint8Array(2 ** 20 + 1), RW1_TYPE);
    expect(large.status).toBe(413);
    const inside = snappy(new Uint8Array(8));
    inside.set([0xff, 0xff, 0xff, 0x7f]);
    const bomb = await house.send(inside, RW1_TYPE);
    expect([bomb.status, await bomb.text()]).toEqual([400, expect.stringContaining("limit is 1048576")]);
  });

  it("takes the key as the password of Basic authentication", async () => {
    const authorization = `Basic ${Buffer.from(`anything:${house.key}`).toString("base64")}`;
    const answer = await house.send(remoteWrite1([one(named("basic"))]), RW1_TYPE, { authorization });
    expect(answer.status).toBe(204);
    const wrong = `Basic ${Buffer.from("anything:mk_wrong").toString("base64")}`;
    expect((await house.send(remoteWrite1([]), RW1_TYPE, { authorization: wrong })).status).toBe(401);
    const elsewhere = await house.ask("/api/v1/platform", { headers: { authorization } });
    expect(elsewhere.status).toBe(401);
  });
});
