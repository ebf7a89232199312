import { createSocket } from "node:dgram";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { platformFile, type MetricsConfig } from "@mainstay/api";
import type { MatrixSeries, QueryResult, VectorSample } from "@mainstay/metrics";
import { expect, it, onTestFinished } from "vitest";
import { silentLog } from "../../../../tests/support/log.ts";
import { waitUntil } from "../../../../tests/support/wait-until.ts";
import { createSystemClock } from "../../kernel/clock.ts";
import { createMetrics } from "../../kernel/metrics.ts";
import { createAppendBatch, createMetricsRoom, MetricsError, type MetricsRoom } from "./index.ts";

const { metrics: CONFIG } = platformFile.parse({});
const NOW_MS = Date.now();
const UP = [
  ["__name__", "up"],
  ["job", "node"],
] as const;

async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), "mainstay-metrics-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

function openRoom(dataDirectory: string, settings: Partial<MetricsConfig> = {}): MetricsRoom {
  const clock = createSystemClock();
  const metrics = createMetrics({ clock, log: silentLog });
  const room = createMetricsRoom({
    ...{ dataDirectory, clock, log: silentLog, metrics },
    config: { ...CONFIG, ...settings },
  });
  void room.start();
  onTestFinished(() => room.stop());
  return room;
}

function samplesOf({ value }: QueryResult): readonly VectorSample[] {
  if (value.type !== "vector") throw new Error(`${value.type} is no vector`);
  return value.samples;
}

function firstOf({ value }: QueryResult): MatrixSeries {
  if (value.type !== "matrix" || value.series[0] === undefined) throw new Error("no series");
  return value.series[0];
}

it("keeps what was appended, and answers queries about it", async () => {
  const { store } = openRoom(await newDirectory());
  const batch = createAppendBatch();
  const up = batch.addSeries(UP);
  for (let count = 0; count < 500; count++) batch.addSample(up, NOW_MS - 500_000 + count * 1000, count);
  batch.addMetadata({ metric: "up", type: "gauge", help: "Whether it is up.", unit: "" });
  const outcome = await store.append(batch.finish());
  expect(outcome).toEqual({
    written: { samples: 500, histograms: 0, exemplars: 0 },
    repeated: 0,
    refused: [],
  });
  expect(batch.size()).toBe(0);
  const last = await store.query({ query: `up{job="node"} + 1`, timeMs: NOW_MS });
  expect(samplesOf(last).map(({ value }) => value)).toEqual([500]);
  const range = { startMs: NOW_MS - 60_000, endMs: NOW_MS, stepMs: 30_000 };
  const series = firstOf(await store.queryRange({ query: "up", ...range }));
  expect([...series.values]).toEqual([440, 470, 499]);
  expect(await store.labelNames({ match: [] })).toEqual(["__name__", "job"]);
  expect(await store.labelValues({ match: ["up"], label: "job" })).toEqual(["node"]);
  expect((await store.series({ match: ["up"] })).map(({ values }) => values)).toEqual([["up", "node"]]);
  expect((await store.metadata()).map(({ metric }) => metric)).toEqual(["up"]);
  expect((await store.stats()).head.series).toBe(1);
});

it("ends a series at a staleness marker, which crosses the border of the thread with its bits", async () => {
  const { store } = openRoom(await newDirectory());
  const batch = createAppendBatch();
  const up = batch.addSeries(UP);
  batch.addSample(up, NOW_MS - 2000, 1);
  batch.addStale(up, NOW_MS - 1000);
  await store.append(batch.finish());
  expect(samplesOf(await store.query({ query: "up", timeMs: NOW_MS - 1500 }))).toHaveLength(1);
  expect(samplesOf(await store.query({ query: "up", timeMs: NOW_MS }))).toHaveLength(0);
});

it("says what was refused and why, and keeps the rest", async () => {
  const { store } = openRoom(await newDirectory());
  const batch = createAppendBatch();
  batch.addSample(batch.addSeries(UP), NOW_MS, 1);
  batch.addSample(batch.addSeries(UP), NOW_MS, 2);
  batch.addSample(batch.addSeries([["job", "nameless"]]), NOW_MS, 3);
  const { written, refused } = await store.append(batch.finish());
  expect(written.samples).toBe(1);
  expect(refused.map(({ what, reason, count }) => [what, reason, count])).toEqual([
    ["sample", "invalid-labels", 1],
    ["sample", "duplicate", 1],
  ]);
  expect(refused[0]?.message).toContain(`job="nameless"`);
  expect(refused[1]?.message).toContain(`__name__="up", job="node"`);
});

it("tells faults of queries apart", async () => {
  const { store } = openRoom(await newDirectory());
  const faultOf = async (query: string) =>
    store.query({ query }).then(
      () => null,
      (error: unknown) => (error instanceof MetricsError ? error.fault : error),
    );
  expect(await faultOf("up +")).toBe("parse");
  expect(await faultOf("label_replace(vector(1), 'a', '$1', 'b', '(')")).toBe("execution");
});

it("has everything again that it answered when it is opened anew", async () => {
  const directory = await newDirectory();
  const first = openRoom(directory);
  const batch = createAppendBatch();
  batch.addSample(batch.addSeries(UP), NOW_MS, 1);
  await first.store.append(batch.finish());
  await first.stop();
  const { store } = openRoom(directory);
  expect(samplesOf(await store.query({ query: "up", timeMs: NOW_MS }))).toHaveLength(1);
});

it("is unavailable while its directory cannot be used, and comes when it can", async () => {
  const directory = await newDirectory();
  await writeFile(path.join(directory, "metrics"), "in the way");
  const room = openRoom(directory);
  await waitUntil("the failure", () => room.state().state === "failed");
  await expect(room.store.stats()).rejects.toMatchObject({ fault: "unavailable" });
  await rm(path.join(directory, "metrics"));
  await waitUntil("the store", () => room.state().state === "ready");
  expect((await room.store.stats()).head.series).toBe(0);
});

it("takes in samples of any age by a backfill, sorted or not", async () => {
  const { store } = openRoom(await newDirectory());
  const batch = createAppendBatch();
  const up = batch.addSeries(UP);
  const DAY_MS = 86_400_000;
  for (const age of [3, 30, 0, 3]) batch.addSample(up, NOW_MS - age * DAY_MS, age);
  batch.addStale(up, NOW_MS - 2 * DAY_MS);
  batch.addSample(batch.addSeries([["job", "nameless"]]), NOW_MS - DAY_MS, 1);
  const { written, refused } = await store.backfill(batch.finish());
  expect([written.samples, refused.map(({ reason }) => reason)]).toEqual([4, ["invalid-labels"]]);
  for (const age of [0, 3, 30]) {
    const found = samplesOf(await store.query({ query: "up", timeMs: NOW_MS - age * DAY_MS }));
    expect(found.map(({ value }) => value)).toEqual([age]);
  }
  expect(samplesOf(await store.query({ query: "up", timeMs: NOW_MS - 2 * DAY_MS + 1000 }))).toEqual([]);
});

it("takes in StatsD over UDP where it is switched on", async () => {
  const statsd = { ...CONFIG.statsd, port: 0, interval: 50 };
  const { store } = openRoom(await newDirectory(), { statsd });
  const port = await waitUntil("the port", async () => (await store.stats()).statsd?.port);
  const socket = createSocket("udp4");
  onTestFinished(() => void socket.close());
  socket.send(
    "jobs.done:3|c|#queue:mail\njobs.done:2|c|#queue:mail\nnonsense\nmainstay.x:1|c",
    port,
    "127.0.0.1",
  );
  const [sample] = await waitUntil("the samples", async () => {
    const samples = samplesOf(await store.query({ query: 'jobs_done_total{queue="mail"}' }));
    return samples.length > 0 ? samples : null;
  });
  expect(sample?.value).toBe(5);
  expect((await store.stats()).statsd).toMatchObject({
    lines: 4,
    refused: { "something is no name with a value": 1 },
  });
  expect(samplesOf(await store.query({ query: "mainstay_x_total" }))).toEqual([]);
  expect((await store.stats()).refusedNames).toBeGreaterThan(0);
});

it("outlives the death of its thread: calls under way fail, and later ones are answered", async () => {
  const directory = await newDirectory();
  const room = openRoom(directory, { heap: 16 * 2 ** 20 });
  await room.store.stats();
  // Little by little: a thread can be ended between small allocations, while a large one ends the process.
  const appended = async () => {
    for (let first = 0; first < 200_000; first += 500) await room.store.append(manySeries(first, 500));
  };
  await expect(appended()).rejects.toMatchObject({ fault: "unavailable" });
  expect(room.state().state).toBe("failed");
  // What filled the memory is in the log, and would fill it again.
  await waitUntil("the thread to be back", async () => {
    await rm(path.join(directory, "metrics", "wal"), { recursive: true, force: true });
    return room.state().state === "ready";
  });
  expect((await room.store.stats()).head.series).toBe(0);
}, 60_000);

it("tells of a remote that cannot be asked, and goes on with its own store", async () => {
  const { remote } = CONFIG;
  const url = "http://127.0.0.1:1";
  const room = openRoom(await newDirectory(), { engine: "remote", remote: { ...remote, url } });
  await waitUntil("the remote to be missed", () => room.problems().length > 0);
  expect(room.problems()).toEqual([
    {
      subject: "remote-metrics",
      summary: expect.stringContaining(`Metrics cannot be queried: the remote metrics store at ${url}`),
    },
  ]);
  expect(samplesOf(await room.store.query({ query: "vector(1)" }))).toHaveLength(1);
});

function manySeries(first: number, count: number) {
  const batch = createAppendBatch();
  for (let nth = first; nth < first + count; nth++) {
    const labels: [string, string][] = [
      ["__name__", `metric_${nth % 100}`],
      ["id", `number ${nth}`],
    ];
    batch.addSample(batch.addSeries(labels), NOW_MS, 1);
  }
  return batch.finish();
}
