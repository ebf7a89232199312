import { once } from "node:events";
import * as fs from "node:fs";
import { createLabels } from "@mainstay/metrics";
import {
  createSampleBatch,
  openMetricsStore,
  type MetricsStore,
  type SampleBatch,
} from "@mainstay/metrics/tsdb";
import { createRandom, instanceSeries, scrapeMs, START_MS, type WorkloadSeries } from "./workload.ts";

/**
 * A process of its own, so that its memory and processor time are those of the store: prints one JSON a step.
 */
const [mode = "", directory = "", instancesText = "", roundsText = ""] = process.argv.slice(2);
const instances = Number(instancesText);
const rounds = Number(roundsText);
const BATCH = 2000;
const HOUR_MS = 3_600_000;
const MIB = 2 ** 20;
let nowMs = START_MS;

const STEPS: Record<string, () => Promise<void>> = { ingest, restart, query };
await STEPS[mode]?.();

function open(): MetricsStore {
  return openMetricsStore({
    disk: fs,
    directory,
    clock: { now: () => nowMs },
    pause: () => new Promise((resolve) => setImmediate(resolve)),
  });
}

async function ingest(): Promise<void> {
  const store = open();
  report("idle", { rssMib: rssMib() });
  const targets = Array.from({ length: instances }, (_, instance) => targetOf(store, instance));
  const batch = createSampleBatch(BATCH);
  let cpuSeconds = 0;
  let samples = 0;
  const flush = () => {
    cpuSeconds += cpuOf(() => void store.append({ samples: batch }));
    samples += batch.count;
    batch.count = 0;
  };
  for (let round = 0; round < rounds; round++) {
    for (const { instance, random, series, refs } of targets) {
      const timestampMs = scrapeMs(instance, round, random);
      nowMs = Math.max(nowMs, timestampMs);
      series.forEach((each, index) => add(batch, { ref: refs[index] ?? 0, timestampMs, value: each.next() }));
      if (batch.count + series.length > BATCH) flush();
    }
    if (round % 20 === 0) store.sync();
  }
  if (batch.count > 0) flush();
  const { head, walBytes } = store.status();
  report("ingest", { samples, cpuSeconds, rssMib: rssMib(), headMib: head.sampleBytes / MIB, walBytes });
  // Who started it with a channel kills it here, with everything in the log.
  if (process.send !== undefined) await once(process, "disconnect");
  const before = process.cpuUsage();
  await store.maintain();
  const { user, system } = process.cpuUsage(before);
  const raw = store.status().blocks.filter((each) => each.resolutionMs === 0);
  report("cut", {
    cpuSeconds: (user + system) / 1e6,
    samples: raw.reduce((sum, each) => sum + each.samples, 0),
    pagesBytes: raw.reduce((sum, each) => sum + each.pagesBytes, 0),
    indexBytes: raw.reduce((sum, each) => sum + each.indexBytes, 0),
    allBytes: store.status().blockBytes,
    rssMib: rssMib(),
    peakMib: process.resourceUsage().maxRSS / 1024,
  });
  await store.close();
}

function targetOf(store: MetricsStore, instance: number) {
  const random = createRandom(instance);
  const series: WorkloadSeries[] = instanceSeries(instance, random);
  const refs = series.map((each) => {
    const answer = store.resolve(createLabels(each.labels));
    if ("refusal" in answer) throw new Error(answer.refusal.message);
    return answer.ref;
  });
  return { instance, random, series, refs };
}

function add(batch: SampleBatch, sample: { ref: number; timestampMs: number; value: number }): void {
  batch.refs[batch.count] = sample.ref;
  batch.timestampsMs[batch.count] = sample.timestampMs;
  batch.values[batch.count] = sample.value;
  batch.count++;
}

async function restart(): Promise<void> {
  const startedAt = performance.now();
  const cpuSeconds = cpuOf(() => void open());
  report("restart", { cpuSeconds, wallSeconds: (performance.now() - startedAt) / 1000, rssMib: rssMib() });
}

async function query(): Promise<void> {
  const store = open();
  const counters = [{ name: "__name__", operator: "=~", value: "counter_.+" }] as const;
  const everything = [{ name: "__name__", operator: "=~", value: ".+" }] as const;
  for (const [name, matchers, fromMs] of [
    ["counters, first hour, from blocks", counters, START_MS],
    ["all series, first hour, from blocks", everything, START_MS],
    [
      "all series, last quarter of an hour, from memory",
      everything,
      START_MS + rounds * 15_000 - HOUR_MS / 4,
    ],
  ] as const) {
    let samples = 0;
    let series = 0;
    const options = {
      fromMs,
      toMs: fromMs + HOUR_MS,
      hints: { stepMs: 15_000, rangeMs: 300_000, functionName: "rate" },
      budget: { addSamples: () => {}, addBytes: () => {} },
    };
    const runs = Array.from({ length: 4 }, () =>
      cpuOf(() => {
        const found = store.select(matchers, options);
        series = found.length;
        samples = found.reduce((sum, each) => sum + each.floats.values.length, 0);
      }),
    );
    report("query", { name, series, samples, firstSeconds: runs[0] ?? 0, bestSeconds: Math.min(...runs) });
  }
  await store.close();
}

function cpuOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function rssMib(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss() / MIB;
}

function report(step: string, figures: Record<string, number | string>): void {
  fs.writeSync(1, `${JSON.stringify({ step, ...figures })}\n`);
}
