import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { BenchReport, BenchTable } from "../bench.ts";
import { compareCodecs } from "./codecs.ts";
import { SERIES_PER_INSTANCE } from "./workload.ts";

const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url));
/** Two hours and a half, and a little: enough for one block and what stays in memory behind it. */
const ROUNDS = 620;
/** Two hours at 15 s. */
const RESTART_ROUNDS = 480;
const OPTIONS = { series: { type: "string", default: "20000" } } as const;

type Step = Record<string, number | string>;

/** The store alone, without network and wire formats: `--series <number>`, 20,000 unless said otherwise. */
export async function run({ args }: { args: string[] }): Promise<BenchReport> {
  const { values } = parseArgs({ args, options: OPTIONS });
  const instances = Math.ceil(Number(values.series) / SERIES_PER_INSTANCE);
  const directory = mkdtempSync(join(tmpdir(), "mainstay-bench-tsdb-"));
  try {
    const steps = runWorker(["ingest", join(directory, "a"), String(instances), String(ROUNDS)]);
    steps.push(...runWorker(["query", join(directory, "a"), String(instances), String(ROUNDS)]));
    const killed = await ingestAndKill(join(directory, "b"), Math.ceil(instances / 2));
    const restarted = runWorker(["restart", join(directory, "b")]);
    return { tables: [compareCodecs(), storeTable(steps, [...killed, ...restarted]), queryTable(steps)] };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function runWorker(args: string[]): Step[] {
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--expose-gc", WORKER, ...args], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`the worker failed: ${stderr}`);
  return stdout.trim().split("\n").map(parseStep);
}

function parseStep(line: string): Step {
  return JSON.parse(line);
}

/** Fills the log with two hours that no block holds as yet, and ends the process as a crash would. */
async function ingestAndKill(directory: string, instances: number): Promise<Step[]> {
  const args = ["--expose-gc", WORKER, "ingest", directory, String(instances), String(RESTART_ROUNDS)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit", "ipc"] });
  const exit = once(child, "exit");
  const steps: Step[] = [];
  if (child.stdout === null) throw new Error("the worker has no output");
  for await (const line of createInterface({ input: child.stdout })) {
    steps.push(parseStep(line));
    if (steps.at(-1)?.step === "ingest") child.kill("SIGKILL");
  }
  await exit;
  return steps;
}

function storeTable(steps: readonly Step[], afterKill: readonly Step[]): BenchTable {
  const of = (list: readonly Step[], step: string, name: string) =>
    Number(list.find((each) => each.step === step)?.[name] ?? NaN);
  const ingest = (name: string) => of(steps, "ingest", name);
  const cut = (name: string) => of(steps, "cut", name);
  const perSample = (bytes: number, samples: number) => (bytes / samples).toFixed(2);
  const rows: [string, string][] = [
    ["samples appended", ingest("samples").toLocaleString("en")],
    [
      "append, CPU-seconds per million samples",
      ((ingest("cpuSeconds") / ingest("samples")) * 1e6).toFixed(2),
    ],
    ["log, bytes per sample", perSample(ingest("walBytes"), ingest("samples"))],
    ["blocks of samples, bytes per sample", perSample(cut("pagesBytes"), cut("samples"))],
    ["… with index", perSample(cut("pagesBytes") + cut("indexBytes"), cut("samples"))],
    ["… with the five coarser tiers", perSample(cut("allBytes"), cut("samples"))],
    ["cutting a block and making five tiers, CPU-seconds", cut("cpuSeconds").toFixed(2)],
    ["memory: idle, empty", `${of(steps, "idle", "rssMib").toFixed(0)} MiB`],
    ["memory: 2 h 35 min of samples in the head", `${ingest("rssMib").toFixed(0)} MiB`],
    ["… of it samples", `${ingest("headMib").toFixed(0)} MiB`],
    ["memory: after the cut", `${cut("rssMib").toFixed(0)} MiB`],
    ["memory: peak", `${cut("peakMib").toFixed(0)} MiB`],
    [
      "killed with half the series × 2 h in the log: samples",
      of(afterKill, "ingest", "samples").toLocaleString("en"),
    ],
    ["… ready again, CPU-seconds", of(afterKill, "restart", "cpuSeconds").toFixed(2)],
    ["… ready again, seconds", of(afterKill, "restart", "wallSeconds").toFixed(2)],
  ];
  return {
    title: "Metrics store",
    columns: ["", "measured"],
    rows,
    notes: [
      "Batches of at most 2,000 samples, 100 series per instance, scraped every 15 s at a moment of their own.",
      "Processor time of append is that of the calls alone: labels are resolved before, as a scrape cache does.",
    ],
  };
}

function queryTable(steps: readonly Step[]): BenchTable {
  const milliseconds = (seconds: unknown) => (Number(seconds) * 1000).toFixed(0);
  return {
    title: "Selecting series, without evaluation",
    columns: ["what", "series", "samples", "first, CPU ms", "best of four, CPU ms"],
    rows: steps
      .filter((each) => each.step === "query")
      .map((each) => [
        String(each.name),
        Number(each.series),
        Number(each.samples),
        milliseconds(each.firstSeconds),
        milliseconds(each.bestSeconds),
      ]),
    notes: ["First: nothing in memory but the head. Pages of 32 MiB and indexes of 64 MiB are kept decoded."],
  };
}
