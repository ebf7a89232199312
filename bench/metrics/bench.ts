import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { BenchReport, BenchTable } from "../bench.ts";
import { SERIES_PER_INSTANCE } from "../metrics-store/workload.ts";
import { measure, type Measurement } from "./measure.ts";
import { createPayload } from "./payload.ts";
import { QUERIES } from "./queries.ts";
import { peerVersions, TARGETS } from "./targets.ts";

export const debianPackages = ["prometheus", "victoria-metrics"];

const USAGE = "Usage: npm run bench -- metrics [--series 2000,20000] [--scrapes 40…2000]";

/**
 * What it costs to take samples in, to keep them and to ask for them, beside Debian's Prometheus and
 * VictoriaMetrics: the same bytes over the same HTTP, one receiver after the other, each by itself.
 */
export async function run({ args }: { args: string[] }): Promise<BenchReport> {
  const { sizes, scrapes } = readOptions(args);
  const folder = await mkdtemp(join(tmpdir(), "bench-metrics-"));
  const measured: Measurement[] = [];
  try {
    for (const series of sizes) {
      const payload = createPayload({ series, scrapes, endMs: Date.now() });
      for (const [nth, kind] of TARGETS.entries()) {
        const place = join(folder, `${series}-${nth}`);
        measured.push(await measure(kind, payload, place));
        process.stderr.write(`${kind.name}, ${series} series: done\n`);
      }
    }
    const versions = await peerVersions();
    return { tables: sizes.flatMap((series) => tablesOf(series, measured, versions)) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function tablesOf(series: number, all: Measurement[], versions: string): BenchTable[] {
  const measured = all.filter((each) => each.series === series);
  const [reference] = measured;
  const million = 1e6;
  const perMillion = (each: Measurement) => (each.ingestCpuSeconds / each.samples) * million;
  const times = (own: number, other: number | undefined) => round((other ?? NaN) / own);
  return [
    {
      title: `Taking in ${reference?.samples ?? 0} samples of ${series} series`,
      columns: [
        "",
        "CPU s per million",
        "× Prometheus' samples per CPU s",
        "bytes per sample",
        "idle MB",
        "peak MB",
      ],
      rows: measured.map((each) => [
        each.name,
        round(perMillion(each)),
        times(perMillion(each), reference && perMillion(reference)),
        round(each.diskBytes / each.samples),
        round(each.idleBytes / million, 1),
        round(each.peakBytes / million, 1),
      ]),
      notes: [
        versions,
        "Bytes on disk of a snapshot (VictoriaMetrics: of its data, flushed and merged), index included.",
        "Of Mainstay the server is measured; what a receiver uses while idle is taken off the time, not off the memory.",
        "Idle: before the first sample (PSS); peak: the most that was resident (VmHWM).",
      ],
    },
    {
      title: `Processor time of a query over ${series} series, in ms`,
      columns: ["query", ...measured.map(({ name }) => name), "Mainstay : Prometheus"],
      rows: QUERIES.map(({ name }, index) => {
        const costs = measured.map(({ queryCpuMs }) => queryCpuMs[index] ?? NaN);
        const own = costs[2] ?? NaN;
        return [name, ...costs.map((each) => round(each, 1)), round(own / (costs[0] ?? NaN))];
      }),
      notes: ["The best of three rounds; repeated until 0.4 s of processor time were spent."],
    },
  ];
}

function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}

function readOptions(args: string[]): { sizes: number[]; scrapes: number } {
  const { values } = parseArgs({
    args,
    options: {
      series: { type: "string", default: "2000,20000" },
      scrapes: { type: "string", default: "280" },
    },
  });
  const sizes = values.series.split(",").map(Number);
  const scrapes = Number(values.scrapes);
  const isWhole = (value: number) => Number.isInteger(value) && value > 0;
  const areSizes = sizes.every((each) => isWhole(each) && each % SERIES_PER_INSTANCE === 0);
  if (!areSizes || !isWhole(scrapes) || scrapes < 40 || scrapes > 2000) throw new Error(USAGE);
  return { sizes, scrapes };
}
