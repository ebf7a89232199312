import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createInterface } from "node:readline";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { platformFile } from "@mainstay/api";
import { decompressSnappy, readRemoteWrite1, readRemoteWrite2, Symbols } from "@mainstay/metrics/wire";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { findFreePort } from "../../../../../../tests/support/free-port.ts";
import { silentLog } from "../../../../../../tests/support/log.ts";
import { openMetricsHouse, type MetricsHouse } from "../../../../../../tests/support/metrics-house.ts";
import { startPrometheus, type RunningProgram } from "../../../../../../tests/support/prometheus.ts";
import { createTemporaryDirectory } from "../../../../../../tests/support/temporary.ts";
import { waitUntil } from "../../../../../../tests/support/wait-until.ts";
import { createSystemClock } from "../../../../kernel/clock.ts";
import { createMetrics } from "../../../../kernel/metrics.ts";
import { createAppendBatch, createMetricsRoom, type MetricsRoom } from "../../index.ts";

const SENDER = fileURLToPath(
  new URL("../../../../../../tests/support/remote-write-sender.ts", import.meta.url),
);
const SERIES = 50;
const STEP_MS = 100;
const HAS_PROMETHEUS = existsSync("/usr/bin/prometheus");
const NOW_MS = Date.now();

function newDirectory(): string {
  const directory = createTemporaryDirectory();
  onTestFinished(directory.remove);
  return directory.path;
}

/** A metrics store that sends on what it takes in. */
async function openRoom(remote: Record<string, unknown>, env: Record<string, string> = {}) {
  const queueConfig = { batchSendDeadline: "100ms", maxBackoff: "200ms" };
  const { metrics: config } = platformFile.parse({ metrics: { remoteWrite: [{ queueConfig, ...remote }] } });
  const clock = createSystemClock();
  const metrics = createMetrics({ clock, log: silentLog });
  const dataDirectory = newDirectory();
  const room = createMetricsRoom({
    ...{ dataDirectory, config, clock, log: silentLog, metrics, env },
  });
  void room.start();
  onTestFinished(() => room.stop());
  await waitUntil("the store", () => room.state().state === "ready");
  return { room, metrics };
}

async function viewOf({ store }: MetricsRoom) {
  const [view] = await store.remoteWrites();
  if (view === undefined) throw new Error("nothing is sent on");
  return view;
}

/** `up` at some seconds before now; null: it ends. */
async function put(
  { store }: MetricsRoom,
  rows: readonly (readonly [secondsAgo: number, value: number | null])[],
) {
  const batch = createAppendBatch();
  const up = batch.addSeries([
    ["__name__", "up"],
    ["job", "node"],
  ]);
  for (const [secondsAgo, value] of rows) {
    if (value === null) batch.addStale(up, NOW_MS - secondsAgo * 1000);
    else batch.addSample(up, NOW_MS - secondsAgo * 1000, value);
  }
  batch.addMetadata({ metric: "up", type: "gauge", help: "Whether it is up.", unit: "" });
  await store.append(batch.finish());
}

describe("a server of Mainstay", () => {
  let house: MetricsHouse;
  beforeAll(async () => {
    house = await openMetricsHouse();
  }, 60_000);
  afterAll(() => house.close());

  it("is sent in version 2 what another takes in, with all that belongs to it", async () => {
    const { room, metrics } = await openRoom(
      {
        ...{ name: "there", url: `${house.url}/prometheus/api/v1/write`, sendNativeHistograms: true },
        ...{ sendExemplars: true, authorization: { credentials: { env: "KEY" } } },
        writeRelabelConfigs: [{ targetLabel: "site", replacement: "here" }],
      },
      { KEY: house.key },
    );
    await put(room, [
      [20, 1],
      [10, 2],
      [5, null],
    ]);
    const batch = createAppendBatch();
    const latency = batch.addSeries([["__name__", "latency"]]);
    batch.addHistogram(latency, NOW_MS - 10_000, {
      ...{ schema: 0, count: 5, sum: 6, zeroThreshold: 0, zeroCount: 1, customBounds: [] },
      positive: { indexes: Int32Array.of(0, 3), counts: Float64Array.of(1, 3) },
      negative: { indexes: new Int32Array(0), counts: new Float64Array(0) },
      resetHint: "unknown",
    });
    const exemplar = { labels: [["trace_id", "abc"]] as const, timestampMs: NOW_MS - 10_000, value: 3 };
    batch.addExemplar(latency, exemplar);
    await room.store.append(batch.finish());
    await waitUntil("the samples", async () => (await viewOf(room)).sentSamples === 4);
    const ask = async (at: string) => (await house.ask(`/prometheus/api/v1/${at}`)).text();
    const timeOf = (secondsAgo: number) => (NOW_MS - secondsAgo * 1000) / 1000;
    expect(await ask(`query?query=up{site="here"}&time=${timeOf(10)}`)).toContain('"2"');
    expect(await ask(`query?query=up&time=${timeOf(4)}`)).toContain('"result":[]');
    expect(await ask(`query?query=histogram_count(latency)&time=${timeOf(9)}`)).toContain('"5"');
    expect(await ask("metadata?metric=up")).toContain("Whether it is up.");
    const range = `start=${timeOf(60)}&end=${timeOf(0)}`;
    expect(await ask(`query_exemplars?query=latency&${range}`)).toContain('"trace_id":"abc"');
    expect(await viewOf(room)).toMatchObject({ protocol: 2, backlogBytes: 0, failedSamples: {} });
    expect(await metrics.render()).toContain(
      'mainstay_metrics_remote_write_sent_samples_total{remote="there"} 4',
    );
  });

  it("that refuses the key loses samples, which is told without the key", async () => {
    const url = `${house.url}/prometheus/api/v1/write`;
    const { room } = await openRoom({ name: "there", url, headers: { "X-Scope-OrgID": "a" } });
    await put(room, [[30, 1]]);
    const view = await waitUntil("the refusal", async () => {
      const seen = await viewOf(room);
      return seen.firstRefusal && seen;
    });
    expect(view).toMatchObject({ failedSamples: { 401: 1 }, firstRefusal: { status: 401 } });
    await waitUntil("the problem", () => room.remoteWriteProblems().length > 0);
    expect(room.remoteWriteProblems()[0]).toMatchObject({
      ...{ kind: "remote-write-failing", subject: "there" },
      summary: expect.stringContaining("1 samples were refused for good, HTTP 401"),
    });
  });

  it("is not asked while a secret is missing, and what it would get is kept", async () => {
    const url = `${house.url}/prometheus/api/v1/write`;
    const { room } = await openRoom({ url, authorization: { credentials: { env: "KEY" } } });
    await put(room, [[30, 1]]);
    const view = await waitUntil("the trouble", async () => {
      const seen = await viewOf(room);
      return seen.state === "failing" && seen;
    });
    expect(view.lastError).toBe("the variable KEY is not set in the server's environment");
    expect(view.droppedSamples).toEqual({});
  });
});

/** A receiver that knows what it was sent, and refuses some of it for a while. */
async function startReceiver(port: number, version: 1 | 2) {
  const seen = new Set<string>();
  let requests = 0;
  const symbols = new Symbols({ limit: 1_000 });
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.once("end", () => {
      const isSecond = String(request.headers["content-type"]).includes("v2");
      if (isSecond && version === 1) return response.writeHead(415).end();
      if (++requests % 7 === 0) return response.writeHead(503).end("busy");
      const bytes = decompressSnappy(Buffer.concat(chunks), { limitBytes: 2 ** 24 });
      let samples = 0;
      const sink: Parameters<typeof readRemoteWrite1>[1] = {
        series(series) {
          samples += series.samples;
          const nth = new Map(series.labels()).get("nth");
          for (let at = 0; at < series.samples; at++) seen.add(`${nth} ${series.values[at]}`);
        },
        metadata: () => {},
      };
      if (isSecond) readRemoteWrite2(bytes, symbols, sink);
      else readRemoteWrite1(bytes, sink);
      const written = isSecond ? { "x-prometheus-remote-write-samples-written": samples } : {};
      response.writeHead(204, written).end();
    });
  });
  await once(server.listen(port, "127.0.0.1"), "listening");
  onTestFinished(() => close(server));
  return { seen, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/write`, server };
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  server.close();
  server.closeAllConnections();
  await once(server, "close");
}

it("a receiver that is away for a while gets everything when it is back", async () => {
  const port = findFreePort();
  const { room } = await openRoom({ url: `http://127.0.0.1:${port}/write`, name: "away" });
  await put(room, [[30, 1]]);
  await waitUntil("the trouble", () => room.remoteWriteProblems().length === 1);
  await put(room, [
    [20, 2],
    [10, 3],
  ]);
  const { seen } = await startReceiver(port, 2);
  await waitUntil("the samples", () => seen.size === 3);
  await waitUntil("the end of the trouble", () => room.remoteWriteProblems().length === 0);
  expect((await viewOf(room)).retriedSamples).toBeGreaterThan(0);
});

/** Lives of a sender that is killed, each after some answers; answers the last round that it was told of. */
async function killSenders(url: string, lives: readonly number[]): Promise<number> {
  const directory = newDirectory();
  const firstMs = NOW_MS - 600_000;
  const rounds = lives.reduce((sum, each) => sum + each, 0);
  let next = 0;
  for (const [index, answers] of lives.entries()) {
    const isLast = index === lives.length - 1;
    const more = [String(next), String(firstMs), String(isLast ? rounds : 1e6)];
    const child = spawn(process.execPath, [SENDER, directory, url, ...more], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const isOver = once(child, "exit");
    const stop = async () => {
      child.kill("SIGKILL");
      await isOver;
    };
    const lastWanted = isLast ? rounds - 1 : next + answers - 1;
    for await (const line of createInterface({ input: child.stdout })) {
      next = Number(line) + 1;
      if (Number(line) >= lastWanted) break;
    }
    if (isLast) onTestFinished(stop);
    else await stop();
  }
  return next - 1;
}

it.each([1, 2] as const)(
  "no acknowledged sample is lost when the sender is killed (version %i)",
  async (version) => {
    const { seen, url } = await startReceiver(0, version);
    const last = await killSenders(url, [20, 35, 25, 120]);
    const all = Array.from(
      { length: SERIES * (last + 1) },
      (_, at) => `${at % SERIES} ${Math.floor(at / SERIES)}`,
    );
    await waitUntil("the samples", () => all.every((each) => seen.has(each)));
  },
  60_000,
);

describe.skipIf(!HAS_PROMETHEUS)("Debian's Prometheus (skipped where it is absent)", () => {
  let prometheus: RunningProgram;
  let directory: { path: string; remove(): void };
  beforeAll(async () => {
    directory = createTemporaryDirectory();
    prometheus = await startPrometheus(path.join(directory.path, "prometheus"));
  }, 60_000);
  afterAll(async () => {
    await prometheus.stop();
    directory.remove();
  });

  const answer = z.object({
    data: z.object({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) }),
  });
  async function ask(query: string, timeMs: number): Promise<number | null> {
    const search = new URLSearchParams({ query, time: String(timeMs / 1000) });
    const response = await fetch(`${prometheus.url}/api/v1/query?${search}`);
    const [first] = answer.parse(await response.json()).data.result;
    return first === undefined ? null : Number(first.value[1]);
  }

  it("gets everything in version 1, though it does not refuse version 2, and ends of series", async () => {
    const { room } = await openRoom({ url: `${prometheus.url}/api/v1/write` });
    await put(room, [
      [400, 1],
      [390, 2],
      [380, null],
    ]);
    await waitUntil("the samples", async () => (await viewOf(room)).sentSamples === 3);
    expect(await viewOf(room)).toMatchObject({ protocol: 1, failedSamples: {}, retriedSamples: 0 });
    expect(await ask("up", NOW_MS - 390_000)).toBe(2);
    expect(await ask("up", NOW_MS - 379_000)).toBe(null);
  });

  it("has every acknowledged sample of a killed sender, though it takes nothing out of order", async () => {
    const last = await killSenders(`${prometheus.url}/api/v1/write`, [20, 35, 25, 120]);
    const endMs = NOW_MS - 600_000 + last * STEP_MS;
    const count = () => ask("sum(count_over_time(work[1h]))", endMs);
    await waitUntil("the samples", async () => (await count()) === SERIES * (last + 1));
    expect(await ask("min(work)", endMs)).toBe(last);
  }, 60_000);
});
