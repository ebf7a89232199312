import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { BenchReport } from "../bench.ts";
import { runLoad } from "./load.ts";
import type { RunningPeer } from "./peer.ts";
import { PEERS, startBackend } from "./peers.ts";
import { cpuSecondsOf, memoryBytesOf } from "./process-tree.ts";
import { summarize, type Measurement } from "./summary.ts";
import { measureSwaps } from "./swaps.ts";

export const debianPackages = ["haproxy", "nginx", "caddy", "wrk"];

const WARM_UP_SECONDS = 2;

/** What a proxied request costs: processor time of each proxy's processes, in interleaved rounds. */
export async function run({ args }: { args: string[] }): Promise<BenchReport> {
  const { rounds, seconds } = readOptions(args);
  const folder = await mkdtemp(join(tmpdir(), "bench-proxy-"));
  const stops: (() => Promise<void>)[] = [() => rm(folder, { recursive: true, force: true })];
  try {
    const backend = await startBackend(folder);
    stops.push(backend.stop);
    const peers: RunningPeer[] = [];
    for (const startPeer of PEERS) {
      const peer = await startPeer({ folder, backendPort: backend.port });
      stops.push(peer.stop);
      peers.push(peer);
    }
    const measurements: Measurement[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      for (const peer of peers) {
        const measurement = await measure(peer, round, seconds);
        console.log(`round ${round}  ${peer.name}  ${measurement.cpuMicroseconds.toFixed(1)} µs`);
        measurements.push(measurement);
      }
    }
    return { tables: [summarize(measurements, { rounds, seconds }), await measureSwaps()] };
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

async function measure(peer: RunningPeer, round: number, seconds: number): Promise<Measurement> {
  await runLoad({ url: peer.url, headers: peer.headers, seconds: WARM_UP_SECONDS });
  const before = cpuSecondsOf(peer.pid);
  const load = await runLoad({ url: peer.url, headers: peer.headers, seconds });
  const cpuSeconds = cpuSecondsOf(peer.pid) - before;
  return {
    name: peer.name,
    round,
    cpuMicroseconds: (cpuSeconds / load.requests) * 1e6,
    requestsPerSecond: load.requestsPerSecond,
    failures: load.failures,
    memoryBytes: memoryBytesOf(peer.pid),
  };
}

function readOptions(args: string[]): { rounds: number; seconds: number } {
  const { values } = parseArgs({
    args,
    options: { rounds: { type: "string", default: "3" }, seconds: { type: "string", default: "8" } },
  });
  const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
  const isGood = [rounds, seconds].every((each) => Number.isInteger(each) && each >= 1 && each <= 60);
  if (!isGood) throw new Error("Usage: npm run bench -- proxy [--rounds 1…60] [--seconds 1…60]");
  return { rounds, seconds };
}
