import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { cpuSecondsOf, memoryBytesOf } from "../proxy/process-tree.ts";
import type { Payload } from "./payload.ts";
import { QUERIES, type BenchQuery } from "./queries.ts";
import type { Target, TargetKind } from "./targets.ts";

/** Processor time is told in hundredths of a second: a query is repeated until it took this much. */
const QUERY_CPU_SECONDS = 0.4;
const QUERY_ROUNDS = 3;
const MOST_REPEATS = 40;
/** Until background work that a change left behind is done. */
const SETTLE_MS = 2_000;
const IDLE_MS = 10_000;

export interface Measurement {
  name: string;
  series: number;
  samples: number;
  ingestCpuSeconds: number;
  idleBytes: number;
  peakBytes: number;
  diskBytes: number;
  /** Milliseconds of processor time for each query, in the order of QUERIES. */
  queryCpuMs: number[];
}

/** Starts a receiver, feeds it, asks it, looks at its disk. */
export async function measure(kind: TargetKind, payload: Payload, folder: string): Promise<Measurement> {
  const target = await kind.start(folder);
  try {
    await sleep(SETTLE_MS);
    const idleBytes = memoryBytesOf(target.pid) ?? NaN;
    const idleShare = await idleShareOf(target.pid);
    const before = cpuSecondsOf(target.pid);
    const beganMs = performance.now();
    await feed(target, kind, payload);
    await sleep(SETTLE_MS);
    const idleSeconds = (idleShare * (performance.now() - beganMs)) / 1000;
    const ingestCpuSeconds = cpuSecondsOf(target.pid) - before - idleSeconds;
    const queryCpuMs: number[] = [];
    for (const query of QUERIES) queryCpuMs.push(await costOf(query, target, payload.endMs));
    const peakBytes = peakOf(target.pid);
    const diskBytes = await target.diskBytes();
    const { series, samples } = payload;
    return {
      name: kind.name,
      series,
      samples,
      ingestCpuSeconds,
      idleBytes,
      peakBytes,
      diskBytes,
      queryCpuMs,
    };
  } finally {
    await target.stop();
  }
}

/** Of a core, while nothing is asked of it: the platform has other things to do than metrics. */
async function idleShareOf(pid: number): Promise<number> {
  const before = cpuSecondsOf(pid);
  await sleep(IDLE_MS);
  return (cpuSecondsOf(pid) - before) / (IDLE_MS / 1000);
}

async function feed(target: Target, { version }: TargetKind, payload: Payload): Promise<void> {
  const isSecond = version === 2;
  const headers = {
    ...target.headers,
    "content-encoding": "snappy",
    "content-type": isSecond
      ? "application/x-protobuf;proto=io.prometheus.write.v2.Request"
      : "application/x-protobuf",
    "x-prometheus-remote-write-version": isSecond ? "2.0.0" : "0.1.0",
  };
  for (const body of isSecond ? payload.version2 : payload.version1) {
    const answer = await fetch(`${target.url}/api/v1/write`, { method: "POST", headers, body });
    if (answer.status >= 300) throw new Error(`${target.name}: ${answer.status} ${await answer.text()}`);
    await answer.arrayBuffer();
  }
}

/** The best of some rounds. */
async function costOf(query: BenchQuery, target: Target, endMs: number): Promise<number> {
  let best = Infinity;
  for (let round = 0; round < QUERY_ROUNDS; round += 1) {
    const before = cpuSecondsOf(target.pid);
    let repeats = 0;
    let spent = 0;
    while (spent < QUERY_CPU_SECONDS && repeats < MOST_REPEATS) {
      await ask(query, target, endMs - repeats);
      repeats += 1;
      spent = cpuSecondsOf(target.pid) - before;
    }
    best = Math.min(best, (spent / repeats) * 1000);
  }
  return best;
}

async function ask({ query, range }: BenchQuery, target: Target, endMs: number): Promise<void> {
  const end = endMs / 1000;
  const times = range
    ? { start: String(end - range.seconds), end: String(end), step: String(range.stepSeconds) }
    : { time: String(end) };
  const body = new URLSearchParams({ query, ...times, ...target.queryOptions });
  const path = range ? "query_range" : "query";
  const answer = await fetch(`${target.url}/api/v1/${path}`, {
    method: "POST",
    headers: target.headers,
    body,
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${target.name}: ${answer.status} ${text.slice(0, 300)}`);
  if (text.includes('"result":[]')) throw new Error(`${target.name} has no answer to ${query}`);
}

/** The most that was resident at a time (proc(5), VmHWM). */
function peakOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? NaN) * 1024;
}
