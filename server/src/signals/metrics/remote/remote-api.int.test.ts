import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { IncomingHttpHeaders, IncomingMessage, RequestListener } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openMetricsHouse, type MetricsHouse } from "../../../../../tests/support/metrics-house.ts";
import {
  HAS_PROMETHEUS,
  startPrometheus,
  type RunningProgram,
} from "../../../../../tests/support/prometheus.ts";
import { startHttpReceiver, type HttpReceiver } from "../../../../../tests/support/receivers.ts";
import {
  remoteWrite1,
  remoteWrite2,
  RW1_TYPE,
  RW2_TYPE,
  type SentSeries,
} from "../../../../../tests/support/remote-write.ts";
import { waitUntil } from "../../../../../tests/support/wait-until.ts";

const NOW_MS = Math.floor(Date.now() / 15_000) * 15_000;
const API = "/prometheus/api/v1";
const FORM = { "content-type": "application/x-www-form-urlencoded" };
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "remote-metrics-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const counters: SentSeries[] = ["a", "b", "c"].map((zone, nth) => ({
  labels: [
    ["__name__", "orders_total"],
    ["zone", zone],
  ],
  samples: Array.from({ length: 200 }, (_, step) => [NOW_MS - (200 - step) * 15_000, step * (nth + 0.1)]),
}));

describe.skipIf(!HAS_PROMETHEUS)(
  "queries answered by Debian's Prometheus (skipped where it is absent)",
  () => {
    let prometheus: RunningProgram;
    let house: MetricsHouse;

    beforeAll(async () => {
      prometheus = await startPrometheus(path.join(folder, "prometheus"));
      const remote = { url: prometheus.url, bodyLimit: "1MiB" };
      house = await openMetricsHouse({ engine: "remote", remote });
      const headers = { "content-type": RW1_TYPE, "content-encoding": "snappy" };
      const body = remoteWrite1(counters);
      const written = await fetch(`${prometheus.url}/api/v1/write`, { method: "POST", headers, body });
      expect(written.status).toBe(204);
    });
    afterAll(async () => {
      await house?.close();
      await prometheus?.stop();
    });

    const span = { start: String(NOW_MS / 1000 - 2400), end: String(NOW_MS / 1000) };
    const questions: [at: string, parameters: Record<string, string>][] = [
      ["query", { query: "orders_total", time: span.end }],
      ["query", { query: "orders_total[5m]", time: span.end }],
      ["query", { query: "sum(", time: span.end }],
      ["query", { query: "vector(1) / 0", time: span.end, timeout: "5s" }],
      ["query_range", { query: "sum by (zone) (rate(orders_total[1m]))", ...span, step: "15" }],
      ["query_range", { query: "orders_total", ...span, step: "0" }],
      ["query_exemplars", { query: "orders_total", ...span }],
      ["labels", span],
      ["label/zone/values", { "match[]": 'orders_total{zone!="b"}', ...span }],
      ["series", { "match[]": "orders_total", ...span }],
      ["metadata", { limit: "5" }],
    ];

    it.each(questions)("passes %s on, byte for byte", async (at, parameters) => {
      const search = new URLSearchParams(parameters).toString();
      const direct = await fetch(`${prometheus.url}/api/v1/${at}?${search}`);
      const through = await house.ask(`${API}/${at}?${search}`);
      expect(through.status).toBe(direct.status);
      expect(through.headers.get("content-type")).toBe(direct.headers.get("content-type"));
      expect(await through.text()).toBe(await direct.text());
    });

    it("passes on forms, and answers that are packed", async () => {
      const form = new URLSearchParams({ query: "orders_total[50m]", time: span.end }).toString();
      const post = { method: "POST", headers: FORM, body: form };
      const direct = await (await fetch(`${prometheus.url}/api/v1/query`, post)).text();
      const through = await house.ask(`${API}/query`, post);
      expect(through.headers.get("content-encoding")).toBe("gzip");
      expect(await through.text()).toBe(direct);
      const plain = { headers: { ...FORM, "accept-encoding": "identity" } };
      const unpacked = await house.ask(`${API}/query`, { ...post, ...plain });
      expect(unpacked.headers.get("content-encoding")).toBeNull();
      expect(await unpacked.text()).toBe(direct);
    });

    it("goes on taking in, deciding and telling of itself with its own store", async () => {
      const here: SentSeries = { labels: [["__name__", "only_here"]], samples: [[NOW_MS, 7]] };
      expect((await house.send(remoteWrite2([here]), RW2_TYPE)).status).toBe(204);
      const answer = async (at: string) => (await house.ask(at)).text();
      expect(await answer(`${API}/query?query=only_here`)).toContain('"result":[]');
      expect(await answer("/prometheus/federate?match[]=only_here")).toContain("only_here{");
      expect(await answer(`${API}/status/tsdb`)).toContain('"numSeries":1');
      expect(await answer(`${API}/format_query?query=sum(x)by(y)`)).toContain("sum by (y) (x)");
      expect((await house.ask("/api/v1/metrics/capacity")).status).toBe(200);
    });
  },
);

describe("a remote that does not answer as it should", () => {
  let receiver: HttpReceiver;
  let house: MetricsHouse;
  let answer: RequestListener;
  const asJson: RequestListener = (_request, response) =>
    response.writeHead(200, { "content-type": "application/json" }).end('{"status":"success","data":[]}');

  beforeAll(async () => {
    receiver = await startHttpReceiver((request, response) => answer(request, response));
    const password = path.join(folder, "password");
    await writeFile(password, "pass word\n", { mode: 0o600 });
    answer = asJson;
    house = await openMetricsHouse({
      engine: "remote",
      remote: {
        url: `${receiver.url}/tenant/`,
        basicAuth: { username: "mainstay", password: { file: password } },
        headers: { "X-Scope-OrgID": "team-a" },
        ...{ timeout: "1s", bodyLimit: "1MiB" },
      },
    });
  });
  afterAll(async () => {
    await house?.close();
    await receiver?.close();
  });
  beforeEach(() => {
    answer = asJson;
  });

  async function refusal() {
    const response = await house.ask(`${API}/labels`);
    const { errorType, error } = JSON.parse(await response.text());
    return { status: response.status, errorType, error: String(error) };
  }
  const plainly = (status: number, headers: Record<string, string>, body = ""): RequestListener => {
    return (_request, response) => response.writeHead(status, headers).end(body);
  };

  it("is sent what the configuration says, and nothing of whoever asks", async () => {
    const mine = { cookie: "mainstay_session=secret", "x-scope-orgid": "team-b", referer: "https://x.test" };
    await house.ask(`${API}/labels?match[]=up`, { headers: mine });
    const last: { url: string; headers: IncomingHttpHeaders } | undefined = receiver.requests.findLast(
      ({ url }) => url.includes("labels"),
    );
    expect(last?.url).toBe("/tenant/api/v1/labels?match%5B%5D=up");
    const { authorization, cookie, referer } = last?.headers ?? {};
    expect(last?.headers["x-scope-orgid"]).toBe("team-a");
    expect(authorization).toBe(`Basic ${Buffer.from("mainstay:pass word").toString("base64")}`);
    expect([cookie, referer]).toEqual([undefined, undefined]);
  });

  const HTML = { "content-type": "text/html" };
  const JSON_TYPE = { "content-type": "application/json" };
  const large = " ".repeat(2 ** 21);
  interface Case {
    title: string;
    bad: RequestListener;
    type: string;
    words: string;
  }
  const cases: Case[] = [
    { title: "a page", bad: plainly(200, HTML, "<p>hello"), type: "bad_response", words: "text/html" },
    {
      ...{ title: "an address elsewhere", bad: plainly(302, { location: "http://127.0.0.1:1/" }) },
      ...{ type: "bad_response", words: "metrics.remote.url" },
    },
    {
      ...{ title: "a refusal of the credentials", bad: plainly(401, HTML) },
      ...{ type: "bad_response", words: "correct basicAuth, authorization or headers of metrics.remote" },
    },
    {
      ...{
        title: "an encoding nobody asked for",
        bad: plainly(200, { ...JSON_TYPE, "content-encoding": "br" }),
      },
      ...{ type: "bad_response", words: "packed its answer with br" },
    },
    {
      title: "a length that is too much",
      bad: plainly(200, { ...JSON_TYPE, "content-length": String(large.length) }, large),
      ...{ type: "bad_response", words: "metrics.remote.bodyLimit" },
    },
    {
      ...{ title: "nothing at all", bad: (request) => void request.socket.destroy() },
      ...{ type: "unavailable", words: "cannot be asked" },
    },
    { title: "nothing in time", bad: () => {}, type: "timeout", words: "metrics.remote.timeout" },
  ];
  it.each(cases)("$title becomes an error that says what to do", async ({ bad, type, words }) => {
    answer = bad;
    const { status, errorType, error } = await refusal();
    expect({ status, errorType }).toEqual({ status: type === "bad_response" ? 502 : 503, errorType: type });
    expect(error).toContain(words);
  });

  it("has an answer break off that does, or grows too large on the way", async () => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<IncomingMessage>();
    answer = (request, response) => {
      response.writeHead(200, JSON_TYPE).write('{"status":"success"');
      begin(request);
    };
    const broken = await house.ask(`${API}/labels`);
    (await begun).socket.destroy();
    await expect(broken.text()).rejects.toThrow();
    answer = plainly(200, JSON_TYPE, large);
    const grown = await house.ask(`${API}/labels`);
    await expect(grown.text()).rejects.toThrow();
  });

  it("does not ask on for whoever hung up", async () => {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    answer = (_request, response) => {
      response.once("close", end);
      response.writeHead(200, JSON_TYPE).write("{");
    };
    const hung = new AbortController();
    const begun = await house.ask(`${API}/labels`, { signal: hung.signal });
    expect(begun.status).toBe(200);
    hung.abort();
    await ended;
  });

  it("counts what failed, and says that it can be asked", async () => {
    answer = plainly(200, HTML);
    await refusal();
    const text = await (await house.ask("/metrics")).text();
    expect(text).toMatch(/mainstay_metrics_remote_failures_total\{reason="nonsense"\} [1-9]/);
    expect(text).toMatch(/mainstay_metrics_remote_duration_seconds_count\{endpoint="labels"\} [1-9]/);
    await waitUntil("a trial", async () => {
      return (await (await house.ask("/metrics")).text()).includes("mainstay_metrics_remote_up 1");
    });
  });
});
