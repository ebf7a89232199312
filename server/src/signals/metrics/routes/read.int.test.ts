import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Matcher, MatcherOperator } from "@mainstay/metrics/model";
import { encodeReadRequest, type ReadQuery } from "@mainstay/metrics/wire";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { openMetricsHouse, type MetricsHouse } from "../../../../../tests/support/metrics-house.ts";
import {
  HAS_PROMETHEUS,
  startPrometheus,
  type RunningProgram,
} from "../../../../../tests/support/prometheus.ts";
import {
  encodedAgain,
  endsOf,
  READ_HEADERS,
  readFrames,
  readSamples,
  seriesOf,
} from "../../../../../tests/support/remote-read.ts";
import {
  remoteWrite1,
  remoteWrite2,
  RW1_TYPE,
  RW2_TYPE,
  snappy,
  type SentSeries,
} from "../../../../../tests/support/remote-write.ts";

/** https://prometheus.io/docs/prometheus/latest/querying/remote_read_api/ */

const NOW_MS = Math.floor(Date.now() / 15_000) * 15_000;
const STEPS = 500;
const READ = "/prometheus/api/v1/read";

const fruits: SentSeries[] = ["apple", "banana", "cherry"].map((fruit, nth) => ({
  labels: [
    ["__name__", "fruits_total"],
    ["fruit", fruit],
    ["job", "shop"],
  ],
  samples: Array.from({ length: STEPS }, (_, step) => {
    // Scrapes are late now and then, and some values are no round numbers.
    const timeMs = NOW_MS - (STEPS - step) * 15_000 + (step % 7 === 0 ? step % 50 : 0);
    return [timeMs, nth === 1 ? Math.sin(step) * 100 : step * (nth + 1)];
  }),
}));
const ended: SentSeries = {
  labels: [["__name__", "gone"]],
  samples: [
    [NOW_MS - 60_000, 1],
    [NOW_MS - 45_000, "stale"],
  ],
};
const native: SentSeries = {
  labels: [["__name__", "latency"]],
  histograms: Array.from({ length: 10 }, (_, step) => [NOW_MS - 150_000 + step * 15_000, 4 + 2 * step]),
};
type AskedQuery = Pick<ReadQuery, "fromMs" | "toMs" | "matchers">;
const is = (name: string, operator: MatcherOperator, value: string): Matcher => ({ name, operator, value });
const ever = { fromMs: NOW_MS - 86_400_000, toMs: NOW_MS + 60_000 };
const allFruits: AskedQuery = { ...ever, matchers: [is("__name__", "=", "fruits_total")] };

/** Field 2, which lists the forms that are accepted: 7. */
const OTHER_FORM = snappy(Uint8Array.of(0x10, 7));

let house: MetricsHouse;
beforeAll(async () => {
  house = await openMetricsHouse({ read: { frame: "4KiB", concurrency: 2 }, query: { samples: 10_000 } });
  expect((await house.send(remoteWrite2([...fruits, ended, native]), RW2_TYPE)).status).toBe(204);
});
afterAll(() => house?.close());

const ask = (queries: readonly AskedQuery[], form: "samples" | "chunks") =>
  house.ask(READ, { method: "POST", headers: READ_HEADERS, body: encodeReadRequest(queries, form) });

async function samplesOf(queries: readonly AskedQuery[]) {
  return readSamples(new Uint8Array(await (await ask(queries, "samples")).arrayBuffer()));
}

const bitsOf = (value: number | "stale") =>
  value === "stale"
    ? 0x7ff0_0000_0000_0002n
    : (new BigUint64Array(new Float64Array([value]).buffer)[0] ?? 0n);

describe("remote-read", () => {
  it("answers samples as they were sent, or as many of them as lie in the range", async () => {
    const [apple, ...others] = await samplesOf([allFruits]);
    expect(others.map(({ labels }) => labels["fruit"])).toEqual(["banana", "cherry"]);
    expect(apple?.labels).toEqual({ __name__: "fruits_total", fruit: "apple", job: "shop" });
    expect(apple?.samples).toEqual(fruits[0]?.samples?.map(([timeMs, value]) => [timeMs, bitsOf(value)]));
    const few = { ...allFruits, fromMs: NOW_MS - 60_000, toMs: NOW_MS - 30_000 };
    expect((await samplesOf([few])).map(({ samples }) => samples.length)).toEqual([3, 3, 3]);
  });

  it("matches labels as PromQL does, and answers query by query", async () => {
    const by = (...matchers: Matcher[]): AskedQuery => ({ ...ever, matchers });
    const found = await samplesOf([
      by(is("fruit", "=~", "a.*|ch.+")),
      by(is("__name__", "=", "fruits_total"), is("fruit", "!~", "(a|b).*")),
      by(is("__name__", "=", "fruits_total"), is("color", "!=", "")),
      by(is("job", "!=", ""), is("fruit", "!=", "cherry")),
    ]);
    expect(found.map(({ query, labels }) => `${query} ${labels["fruit"]}`)).toEqual([
      ...["0 apple", "0 cherry", "1 cherry", "3 apple", "3 banana"],
    ]);
  });

  it("streams chunks in frames of the size that is set, with the same samples", async () => {
    const answer = await ask([allFruits, { ...ever, matchers: [is("__name__", "=", "gone")] }], "chunks");
    expect(answer.headers.get("content-type")).toBe(
      "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse",
    );
    const frames = await readFrames(answer);
    expect(frames.filter(({ queryIndex }) => queryIndex === 0).length).toBeGreaterThanOrEqual(4);
    for (const { chunks } of frames) {
      expect(chunks.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThanOrEqual(4096);
      for (const { samples, minMs, maxMs, bytes } of chunks) {
        expect(samples).toBeLessThanOrEqual(120);
        expect(endsOf(bytes)).toEqual([minMs, maxMs]);
      }
    }
    const wanted = await samplesOf([allFruits, { ...ever, matchers: [is("__name__", "=", "gone")] }]);
    expect(seriesOf(frames)).toEqual(wanted);
    expect(wanted.at(-1)?.samples.at(-1)).toEqual([NOW_MS - 45_000, bitsOf("stale")]);
  });

  it("knows native histograms in both forms", async () => {
    const query = { ...ever, matchers: [is("__name__", "=", "latency")] } as const;
    expect((await samplesOf([query]))[0]?.histograms).toBe(10);
    expect(seriesOf(await readFrames(await ask([query], "chunks")))[0]?.histograms).toBe(10);
  });

  it("refuses what makes no sense, in words", async () => {
    const status = async (body: Uint8Array<ArrayBuffer>, headers = {}) => {
      const answer = await house.ask(READ, {
        method: "POST",
        headers: { ...READ_HEADERS, ...headers },
        body,
      });
      return `${answer.status} ${await answer.text()}`;
    };
    expect(await status(new Uint8Array([1, 2, 3]))).toContain("400 the body is no snappy block");
    expect(await status(OTHER_FORM)).toContain("400 the answer can have the form SAMPLES");
    const broken: AskedQuery = { ...ever, matchers: [is("fruit", "=~", "(")] };
    expect(await status(encodeReadRequest([broken], "chunks"))).toContain('400 "(" is no regular expression');
    expect(await status(encodeReadRequest([], "samples"), { "content-encoding": "gzip" })).toContain("415 ");
    expect(await status(encodeReadRequest([], "samples"))).toMatch(/^200 /);
  });

  it("bounds what is answered whole, and streams it", async () => {
    const series = Array.from({ length: 25 }, (_, nth): SentSeries => {
      const labels = [
        ["__name__", "many"],
        ["nth", String(nth)],
      ] as const;
      return { labels, samples: fruits[0]?.samples ?? [] };
    });
    expect((await house.send(remoteWrite2(series), RW2_TYPE)).status).toBe(204);
    const many: AskedQuery = { ...ever, matchers: [is("__name__", "=", "many")] };
    const refused = await ask([many], "samples");
    expect([refused.status, await refused.text()]).toEqual([422, expect.stringContaining("limit 10000")]);
    const streamed = seriesOf(await readFrames(await ask([many], "chunks")));
    expect(streamed.map(({ samples }) => samples.length)).toEqual(Array(25).fill(STEPS));
  });

  it("gives the place of whoever hangs up to the next", async () => {
    for (let round = 0; round < 5; round++) {
      const hung = new AbortController();
      const body = encodeReadRequest([allFruits], "chunks");
      const answer = await house.ask(READ, {
        method: "POST",
        headers: READ_HEADERS,
        body,
        signal: hung.signal,
      });
      expect(answer.status).toBe(200);
      hung.abort();
      await answer.text().catch(() => {});
    }
    expect((await samplesOf([allFruits])).length).toBe(3);
  });
});

describe.skipIf(!HAS_PROMETHEUS)(
  "a Prometheus that reads from here (Debian's; skipped where it is absent)",
  () => {
    let folder = "";
    let prometheus: RunningProgram;

    beforeAll(async () => {
      folder = await mkdtemp(path.join(tmpdir(), "remote-read-"));
      const key = path.join(folder, "key");
      await writeFile(key, house.key);
      const auth = { type: "Bearer", credentials_file: key };
      const reading = { url: `${house.url}${READ}`, read_recent: true, authorization: auth };
      prometheus = await startPrometheus(folder, { config: { remote_read: [reading] } });
    });
    afterAll(async () => {
      await prometheus?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    // Prometheus 2 takes in samples on the left border of a range, Prometheus 3 does not: none stands there.
    const range = { start: String(NOW_MS / 1000 - 3007.5), end: String(NOW_MS / 1000 - 7.5), step: "15" };
    const questions = [
      "fruits_total",
      "sum by (job) (rate(fruits_total[5m]))",
      'fruits_total{fruit=~"a.*|c.*"} offset 3m',
      "quantile_over_time(0.9, fruits_total[10m])",
      "gone",
      "max_over_time(fruits_total[1h:1m])",
      "count({job!=''})",
    ];
    it.each(questions)("answers %s as we do", async (query) => {
      const search = new URLSearchParams({ query, ...range });
      const answerOf = async (response: Response) => matrix.parse(await response.json());
      const theirs = await answerOf(await fetch(`${prometheus.url}/api/v1/query_range?${search}`));
      const ours = await answerOf(await house.ask(`/prometheus/api/v1/query_range?${search}`));
      expect(theirs.data.result.length).toBeGreaterThan(0);
      expect(inOrder(ours)).toEqual(inOrder(theirs));
    });

    it("makes the same chunks of the same samples, bit for bit", async () => {
      const headers = { "content-type": RW1_TYPE, "content-encoding": "snappy" };
      const body = remoteWrite1(
        fruits.map((each) => ({ ...each, labels: [...each.labels, ["own", "yes"]] })),
      );
      await fetch(`${prometheus.url}/api/v1/write`, { method: "POST", headers, body });
      const own: AskedQuery = { ...ever, matchers: [is("own", "=", "yes")] };
      const request = { method: "POST", headers: READ_HEADERS, body: encodeReadRequest([own], "chunks") };
      const theirs = await readFrames(await fetch(`${prometheus.url}/api/v1/read`, request));
      const ours = await readFrames(await ask([allFruits], "chunks"));
      expect(seriesOf(theirs).map(({ samples }) => samples)).toEqual(
        seriesOf(ours).map(({ samples }) => samples),
      );
      // Where a chunk ends is theirs to choose.
      for (const { bytes } of theirs.flatMap(({ chunks }) => chunks)) {
        const chunk = encodedAgain(bytes);
        expect(chunk.ours).toBe(chunk.theirs);
      }
    });
  },
);

const points = z.array(z.tuple([z.number(), z.string()]));
const matrix = z.looseObject({
  status: z.literal("success"),
  data: z.looseObject({
    result: z.array(z.looseObject({ metric: z.record(z.string(), z.string()), values: points })),
  }),
});

/** Series by their labels; sums of floats may differ in their last digits. */
function inOrder({ data }: z.output<typeof matrix>) {
  const keyed = data.result.map(({ metric, values }) => {
    const rounded = values.map(([timeS, value]) => [timeS, Number(value).toPrecision(12)]);
    return { key: JSON.stringify(Object.entries(metric)), rounded };
  });
  return keyed.toSorted((a, b) => (a.key < b.key ? -1 : 1));
}
