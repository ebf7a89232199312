import { gzipSync } from "node:zlib";
import { ProtoWriter } from "@mainstay/metrics/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openMetricsHouse, type MetricsHouse } from "../../../../../tests/support/metrics-house.ts";

const NOW_MS = Math.floor(Date.now() / 1000) * 1000;
const NOW = NOW_MS / 1000;
const NOW_NS = `${NOW_MS}000000`;
const JSON_TYPE = "application/json";
const PROTOBUF = "application/x-protobuf";
let house: MetricsHouse;

beforeAll(async () => {
  house = await openMetricsHouse({ bodyLimit: "2MiB", otlp: { promote: ["deployment.environment.name"] } });
}, 60_000);
afterAll(() => house.close());

function send(at: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string>) {
  return house.ask(at, { method: "POST", headers, body });
}

async function resultOf(query: string): Promise<unknown> {
  const parameters = new URLSearchParams({ query, time: String(NOW) }).toString();
  return (await house.ask(`/prometheus/api/v1/query?${parameters}`)).json();
}

const vectorOf = (...result: object[]) => ({ status: "success", data: { resultType: "vector", result } });
const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });

function requestOf(...metrics: object[]): string {
  const attributes = [
    attribute("service.name", "shop"),
    attribute("deployment.environment.name", "staging"),
    attribute("host.name", "one"),
  ];
  return JSON.stringify({ resourceMetrics: [{ resource: { attributes }, scopeMetrics: [{ metrics }] }] });
}

const point = { timeUnixNano: NOW_NS, asDouble: 3, attributes: [attribute("http.route", "/")] };
const sum = (aggregationTemporality: number) => ({
  name: "http.requests",
  unit: "1",
  sum: { isMonotonic: true, aggregationTemporality, dataPoints: [point] },
});

describe("OTLP", () => {
  it("takes JSON, with promoted attributes as labels and the others in target_info", async () => {
    const answer = await send("/otlp/v1/metrics", requestOf(sum(2)), { "content-type": JSON_TYPE });
    expect([answer.status, await answer.json()]).toEqual([200, {}]);
    const metric = {
      ...{ __name__: "http_requests_total", job: "shop", http_route: "/" },
      deployment_environment_name: "staging",
    };
    expect(await resultOf("http_requests_total")).toEqual(vectorOf({ metric, value: [NOW, "3"] }));
    expect(await resultOf("count(target_info{host_name='one'})")).toEqual(
      vectorOf({ metric: {}, value: [NOW, "1"] }),
    );
  });

  it("tells what it does not keep as a partial success, in the type of the request", async () => {
    const answer = await send("/otlp/v1/metrics", requestOf(sum(1)), { "content-type": JSON_TYPE });
    expect([answer.status, await answer.json()]).toEqual([
      200,
      {
        partialSuccess: {
          rejectedDataPoints: "1",
          errorMessage: expect.stringContaining("temporality is delta"),
        },
      },
    ]);
  });

  it("takes protobuf, packed or not, also under the path that Prometheus has", async () => {
    const bytes = protobufGauge("room.temperature", 21.5);
    const path = "/prometheus/api/v1/otlp/v1/metrics";
    const answer = await send(path, new Uint8Array(gzipSync(bytes)), {
      ...{ "content-type": PROTOBUF, "content-encoding": "gzip" },
    });
    expect([answer.status, await answer.text()]).toEqual([200, ""]);
    expect(answer.headers.get("content-type")).toContain(PROTOBUF);
    const metric = { __name__: "room_temperature" };
    expect(await resultOf("room_temperature")).toEqual(vectorOf({ metric, value: [NOW, "21.5"] }));
  });

  it.each([
    ["no JSON", "{", { "content-type": JSON_TYPE }, 400],
    ["no gzip", "{}", { "content-type": JSON_TYPE, "content-encoding": "gzip" }, 400],
    ["another encoding", "{}", { "content-type": JSON_TYPE, "content-encoding": "zstd" }, 415],
    ["another type", "{}", { "content-type": "text/plain" }, 415],
  ])("refuses %s", async (_, body, headers, status) => {
    expect((await send("/otlp/v1/metrics", body, headers)).status).toBe(status);
  });
});

function protobufGauge(name: string, value: number): Uint8Array {
  const writer = new ProtoWriter();
  const within = (field: number, write: () => void): void => {
    writer.varint(field * 8 + 2);
    writer.within(write);
  };
  within(1, () =>
    within(2, () =>
      within(2, () => {
        writer.varint(8 + 2);
        writer.text(name);
        within(5, () =>
          within(1, () => {
            writer.varint(3 * 8 + 1);
            writer.fixed64(NOW_MS * 1e6);
            writer.varint(4 * 8 + 1);
            writer.double(value);
          }),
        );
      }),
    ),
  );
  return writer.finish().slice();
}

describe("a push of a script", () => {
  const push = (body: unknown) =>
    send("/api/v1/metrics", JSON.stringify(body), { "content-type": JSON_TYPE });

  it("keeps samples with their labels, times and metadata", async () => {
    const time = new Date(NOW_MS).toISOString();
    const metric = { name: "backup_size_bytes", labels: { job: "backup" }, value: 5e9, time };
    const answer = await push({ metrics: [{ ...metric, type: "gauge", help: "Of the last one." }] });
    expect([answer.status, await answer.json()]).toEqual([200, { written: 1, repeated: 0, refused: [] }]);
    expect(await resultOf("backup_size_bytes")).toEqual(
      vectorOf({ metric: { __name__: "backup_size_bytes", job: "backup" }, value: [NOW, "5000000000"] }),
    );
  });

  it("takes the present for a time that is not said, and values that are no numbers", async () => {
    expect((await push({ metrics: [{ name: "ratio", value: "NaN" }] })).status).toBe(200);
    const answer = await house.ask("/prometheus/api/v1/query?query=ratio");
    expect(await answer.text()).toContain('"NaN"');
  });

  it("says what was refused, and keeps the rest", async () => {
    const time = new Date(NOW_MS - 7_200_000).toISOString();
    const answer = await push({
      metrics: [
        { name: "late", value: 1 },
        { name: "late", value: 1, time },
      ],
    });
    expect([answer.status, await answer.json()]).toMatchObject([
      422,
      { written: 1, refused: [{ reason: "too-old", count: 1, message: expect.stringContaining("late") }] },
    ]);
  });

  it("may be as large as what the other ways in take", async () => {
    const withHelp = (name: string, length: number) => ({
      metrics: [{ name, value: 1, help: "h".repeat(length) }],
    });
    expect((await push(withHelp("large", 1.5 * 2 ** 20))).status).toBe(200);
    const refused = await push(withHelp("too_large", 2 ** 21));
    expect([refused.status, await refused.json()]).toMatchObject([
      413,
      { code: "REQUEST_TOO_LARGE", remedy: expect.stringContaining("metrics.bodyLimit") },
    ]);
  });

  it("names every field that is wrong", async () => {
    const answer = await push({ metrics: [{ name: "", value: "many" }] });
    expect(answer.status).toBe(400);
    const text = await answer.text();
    expect(text).toContain("body.metrics.0.name");
    expect(text).toContain("body.metrics.0.value");
  });
});
