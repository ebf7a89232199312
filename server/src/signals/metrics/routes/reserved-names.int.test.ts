import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openMetricsHouse, type MetricsHouse } from "../../../../../tests/support/metrics-house.ts";
import {
  remoteWrite1,
  remoteWrite2,
  RW1_TYPE,
  RW2_TYPE,
  type SentSeries,
} from "../../../../../tests/support/remote-write.ts";
import { waitUntil } from "../../../../../tests/support/wait-until.ts";

/** Gates believe what Mainstay measured: nobody else may write under its names. */

const NOW_MS = Math.floor(Date.now() / 1000) * 1000;
const ERRORS = "mainstay_change_errors_total";
const JSON_TYPE = "application/json";

/** How many series there are of a selector, just now. */
async function countOf(house: MetricsHouse, selector: string): Promise<number> {
  const parameters = new URLSearchParams({ query: `count(${selector})` });
  const answer = await house.ask(`/prometheus/api/v1/query?${parameters}`);
  const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
  return Number(data.result[0]?.value[1] ?? 0);
}

async function refusedSamples(house: MetricsHouse): Promise<number> {
  const text = await (await house.ask("/metrics")).text();
  return Number(
    /^mainstay_metrics_refused_samples_total\{reason="reserved-name"\} (\d+)$/m.exec(text)?.[1] ?? NaN,
  );
}

const post = (house: MetricsHouse, at: string, body: string, headers: Record<string, string> = {}) =>
  house.ask(at, { method: "POST", headers: { "content-type": JSON_TYPE, ...headers }, body });

const series = (name: string, labels: Record<string, string> = {}): SentSeries => ({
  labels: [["__name__", name], ...Object.entries(labels)],
  samples: [[NOW_MS, 1]],
});

function otlpOf(...names: string[]): string {
  const dataPoints = [{ timeUnixNano: `${NOW_MS}000000`, asDouble: 3 }];
  const metrics = names.map((name) => ({ name, gauge: { dataPoints } }));
  return JSON.stringify({ resourceMetrics: [{ resource: {}, scopeMetrics: [{ metrics }] }] });
}

async function startPart({ parts }: MetricsHouse, wanted: string): Promise<void> {
  const part = parts.find(({ name }) => name === wanted);
  await part?.start();
  onTestFinished(() => part?.stop());
}

describe("names of Mainstay's own metrics, from outside", () => {
  let house: MetricsHouse;
  beforeAll(async () => {
    house = await openMetricsHouse();
  }, 60_000);
  afterAll(() => house.close());

  it.each([
    ["1.0", RW1_TYPE, remoteWrite1],
    ["2.0", RW2_TYPE, remoteWrite2],
  ])("are refused of remote-write %s with 400, and the rest is written", async (version, type, pack) => {
    const before = await refusedSamples(house);
    const metadata = { type: 2, help: "Not ours.", unit: "" };
    const sent = [{ ...series(ERRORS, { arm: "candidate" }), metadata }, series("shop_orders", { version })];
    const answer = await house.send(pack(sent), type);
    expect(answer.status).toBe(400);
    expect(answer.headers.get("x-prometheus-remote-write-samples-written")).toBe("1");
    expect(await answer.text()).toMatch(
      /^1 sample refused \(reserved-name\), such as: .*begin with mainstay_, such as mainstay_change_errors_total/,
    );
    expect(await countOf(house, `shop_orders{version="${version}"}`)).toBe(1);
    expect(await countOf(house, ERRORS)).toBe(0);
    expect((await refusedSamples(house)) - before).toBe(1);
    expect(await (await house.ask("/prometheus/api/v1/metadata")).text()).not.toContain("Not ours.");
  });

  it("are refused of OTLP as a partial success, after its names became ours", async () => {
    const body = otlpOf("mainstay.change.errors.total", "shop.visits");
    const answer = await post(house, "/otlp/v1/metrics", body);
    expect([answer.status, await answer.json()]).toEqual([
      200,
      {
        partialSuccess: {
          rejectedDataPoints: "1",
          errorMessage: expect.stringContaining("1 sample refused (reserved-name)"),
        },
      },
    ]);
    expect([await countOf(house, "shop_visits"), await countOf(house, ERRORS)]).toEqual([1, 0]);
  });

  it("are refused of a push with 422", async () => {
    const metrics = [
      { name: ERRORS, labels: { arm: "stable" }, value: 1 },
      { name: "app_orders", value: 1 },
    ];
    const answer = await post(house, "/api/v1/metrics", JSON.stringify({ metrics }));
    expect([answer.status, await answer.json()]).toMatchObject([
      422,
      { written: 1, refused: [{ reason: "reserved-name", count: 1 }] },
    ]);
    expect([await countOf(house, "app_orders"), await countOf(house, ERRORS)]).toEqual([1, 0]);
  });

  it("are refused of an import of who may only send, and taken of who may delete them", async () => {
    const created = await post(
      house,
      "/api/v1/keys",
      JSON.stringify({ name: "exporter", permissions: ["metrics.write"] }),
    );
    const { secret } = (await created.json()) as { secret: string };
    const past = (NOW_MS - 86_400_000) / 1000;
    const text = `${ERRORS}{arm="stable"} 1 ${past}\nshop_old 1 ${past}\n# EOF\n`;
    const type = { "content-type": "application/openmetrics-text" };
    const bySender = { ...type, authorization: `Bearer ${secret}` };
    const refused = await post(house, "/api/v1/metrics/import", text, bySender);
    expect([refused.status, await refused.json()]).toMatchObject([
      422,
      { written: 1, refused: [{ reason: "reserved-name", count: 1 }] },
    ]);
    const taken = await post(house, "/api/v1/metrics/import", text, type);
    expect([taken.status, await taken.json()]).toMatchObject([200, { refused: [] }]);
    expect(await countOf(house, `last_over_time(${ERRORS}[2d])`)).toBe(1);
  });
});

describe("metrics of other Mainstays", () => {
  it("are taken with the label that tells them apart, and never without", async () => {
    const house = await openMetricsHouse({ reservedNames: { label: "cluster" } });
    onTestFinished(() => house.close());
    const sent = [
      series(ERRORS, { cluster: "vienna", arm: "stable" }),
      series(ERRORS, { arm: "stable" }),
      series(ERRORS, { cluster: "" }),
    ];
    const answer = await house.send(remoteWrite2(sent), RW2_TYPE);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toMatch(
      /^2 samples refused \(reserved-name\).* with the label cluster alone/,
    );
    expect(await countOf(house, ERRORS)).toBe(1);
    expect(await countOf(house, `${ERRORS}{cluster="vienna"}`)).toBe(1);
  });
});

describe("what Mainstay measures by itself", () => {
  it("finds its room in a store that others have filled", async () => {
    const cardinality = { series: 2_000, own: 1_000 };
    const house = await openMetricsHouse({ cardinality, scrape: { interval: "1s" } });
    onTestFinished(() => house.close());
    const flood = Array.from({ length: 2_000 }, (_, id) => series("junk", { id: String(id) }));
    expect(await (await house.send(remoteWrite1(flood), RW1_TYPE)).text()).toMatch(
      /^1000 samples refused \(series\), such as: there are 1000 series, .* beside 1000 that are reserved/,
    );
    await startPart(house, "scraper");
    const isScraped = async () => (await countOf(house, 'up{job="mainstay"} == 1')) === 1;
    await waitUntil("a scrape of Mainstay itself", isScraped);
    expect(await countOf(house, '{job="mainstay",__name__=~"mainstay_.*"}')).toBeGreaterThan(50);
    const [target] = await activeTargets(house);
    expect(target).toMatchObject({ health: "up", lastError: "" });
    const again = await house.send(remoteWrite1(flood), RW1_TYPE);
    expect(await again.text()).toMatch(/^1000 samples refused/);
  });
});

async function activeTargets(house: MetricsHouse): Promise<{ health: string; lastError: string }[]> {
  const answer = await house.ask("/prometheus/api/v1/targets");
  const { data } = (await answer.json()) as { data: { activeTargets: never[] } };
  return data.activeTargets;
}
