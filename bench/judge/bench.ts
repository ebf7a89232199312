import { parseArgs } from "node:util";
import { HEALTHY, WORLDS, type Regression } from "@mainstay/evidence/simulation";
import type { BenchReport, BenchTable } from "../bench.ts";
import { createPool, type Pool } from "./pool.ts";
import type { OVERSEERS, Task, TaskResult } from "./simulation.ts";

const MINUTE_MS = 60_000;
const SHORT_STAGES = [0.1, 0.25, 0.5].map((weight) => ({ weight, bakeMs: MINUTE_MS }));
/** Long enough for the slowest of the peers' rules to speak. */
const LONGER_STAGES = SHORT_STAGES.map((stage) => ({ ...stage, bakeMs: 5 * MINUTE_MS }));
const MISSED = ["missed: errors × 2", "missed: errors × 5", "missed: errors × 10"];
const DEFAULT_STAGES = [
  { weight: 0.1, bakeMs: 60 * MINUTE_MS },
  { weight: 0.25, bakeMs: 120 * MINUTE_MS },
  { weight: 0.5, bakeMs: 120 * MINUTE_MS },
];
const SEED = 20_261_101;
const REGRESSIONS: readonly [string, Regression][] = [
  ["errors 0.5 → 1 %", { errorFactor: 2, latencyFactor: 1, fromMs: 0 }],
  ["errors 0.5 → 2.5 %", { errorFactor: 5, latencyFactor: 1, fromMs: 0 }],
  ["latency × 2", { errorFactor: 1, latencyFactor: 2, fromMs: 0 }],
  ["latency × 5", { errorFactor: 1, latencyFactor: 5, fromMs: 0 }],
];
/** Runs a cell; the busiest traffic costs the most to simulate. */
const POWER_RUNS: readonly [ratePerSecond: number, runs: number][] = [
  [0.5, 100],
  [1, 100],
  [5, 100],
  [50, 100],
  [500, 50],
];

const TABLES = { "false-undo": falseUndo, peers, power };
const OPTIONS = {
  quick: { type: "boolean", default: false },
  only: { type: "string" },
} as const;

/**
 * How the judge decides in worlds where the truth is known. `--quick`: a fiftieth of the runs;
 * `--only <table>`: false-undo, peers or power.
 */
export async function run({ args }: { args: string[] }): Promise<BenchReport> {
  const { values } = parseArgs({ args, options: OPTIONS });
  const share = values.quick ? 0.02 : 1;
  const pool = createPool();
  try {
    const tables: BenchTable[] = [];
    for (const [name, make] of Object.entries(TABLES)) {
      if (values.only === undefined || values.only === name) tables.push(await make(pool, share));
    }
    return { tables };
  } finally {
    await pool.close();
  }
}

async function falseUndo(pool: Pool, share: number): Promise<BenchTable> {
  const rows: (string | number)[][] = [];
  for (const world of WORLDS) {
    for (const [ratePerSecond, runs] of [
      [20, 10_000],
      [200, 500],
    ] as const) {
      const result = await measure(pool, { world: world.name, ratePerSecond, runs: scaled(runs, share) });
      rows.push([world.name, world.about, ratePerSecond, total(result), ...shareWithInterval(result)]);
    }
  }
  return {
    title: "False undo: a healthy candidate, 10/25/50 % for 1 min each, errors and latency judged",
    columns: ["world", "what happens", "requests/s", "runs", "undone", "95 % interval"],
    rows,
    notes: ["α is 1 % over the whole change. The interval is Wilson's."],
  };
}

async function peers(pool: Pool, share: number): Promise<BenchTable> {
  const names: Record<keyof typeof OVERSEERS, string> = {
    judge: "Mainstay",
    threshold: "threshold: < 99 % in 60 s, five times",
    fisher: "Fisher p < 0.05, every 10 s",
    "mann-whitney": "Mann–Whitney, 98 %, points of 10 s",
  };
  const worlds = ["independent", "clustered", "shared incident", "drift", "cold cache"];
  const rows: (string | number)[][] = [];
  for (const overseer of ["judge", "threshold", "fisher", "mann-whitney"] as const) {
    const cell = { overseer, ratePerSecond: 50, runs: scaled(1000, share), stages: LONGER_STAGES };
    const row = [names[overseer]];
    for (const world of worlds) {
      const healthy = await measure(pool, { ...cell, world });
      row.push(percent(healthy.ends.undone, total(healthy)));
    }
    for (const errorFactor of [2, 5, 10]) {
      const bad = await measure(pool, { ...cell, regression: { ...HEALTHY, errorFactor } });
      row.push(`${percent(bad.ends.promoted, total(bad))}, ${medianSeconds(bad)} s`);
    }
    rows.push(row);
  }
  return {
    title: "Beside the rules of peers: 50 requests/s, 10/25/50 % for 5 min each, then promoted",
    columns: ["rule", ...worlds.map((world) => `false undo: ${world}`), ...MISSED],
    rows,
    notes: ["The peers' rules look at errors alone. Seconds: median until undone, of the runs that were."],
  };
}

async function power(pool: Pool, share: number): Promise<BenchTable> {
  const rows: (string | number)[][] = [];
  for (const [ratePerSecond, runs] of POWER_RUNS) {
    for (const [name, regression] of REGRESSIONS) {
      const cell = { ratePerSecond, regression, stages: DEFAULT_STAGES, runs: scaled(runs, share) };
      const hold = await measure(pool, { ...cell, policy: "hold" });
      const advance = await measure(pool, { ...cell, policy: "advance" });
      const shares = [hold.ends.promoted, hold.ends.held].map((count) => percent(count, total(hold)));
      rows.push([
        ...[ratePerSecond, name, total(hold), ...shares, medianSeconds(hold)],
        ...[percent(advance.ends.promoted, total(advance)), medianSeconds(advance)],
      ]);
    }
  }
  return {
    title: "Regressions under the default stages: 10 % for 1 h, 25 % and 50 % for 2 h each",
    columns: [
      "requests/s",
      "regression",
      "runs",
      "hold: promoted",
      "hold: held",
      "hold: median s to undo",
      "advance: promoted",
      "advance: median s to undo",
    ],
    rows,
    notes: [
      "Held: no verdict within 24 h after a stage's bake time. The rest was undone.",
      "Latency is not judged for the first 20 s of the candidate.",
    ],
  };
}

async function measure(
  pool: Pool,
  task: Partial<Task> & Pick<Task, "runs" | "ratePerSecond">,
): Promise<TaskResult> {
  const standard = {
    world: "independent",
    overseer: "judge",
    regression: HEALTHY,
    stages: SHORT_STAGES,
  } as const;
  const full: Task = {
    ...standard,
    policy: "advance",
    seed: SEED,
    ...task,
    stages: task.stages ?? SHORT_STAGES,
  };
  const result = await pool.run(full);
  process.stderr.write(
    `${full.overseer}, ${full.world}, ${full.ratePerSecond}/s: ${JSON.stringify(result.ends)}\n`,
  );
  return result;
}

function scaled(runs: number, share: number): number {
  return Math.max(8, Math.round(runs * share));
}

function total({ ends }: TaskResult): number {
  return ends.undone + ends.promoted + ends.held;
}

function percent(count: number, of: number): string {
  return `${((100 * count) / of).toFixed(of >= 1000 ? 2 : 1)} %`;
}

function medianSeconds({ undoneAfterSeconds }: TaskResult): string {
  const sorted = undoneAfterSeconds.toSorted((left, right) => left - right);
  const median = sorted[Math.floor(sorted.length / 2)];
  return median === undefined ? "–" : String(Math.round(median));
}

/** Wilson's score interval (1927) at 95 %. */
function shareWithInterval(result: TaskResult): [string, string] {
  const n = total(result);
  const share = result.ends.undone / n;
  const z = 1.96;
  const middle = (share + z ** 2 / (2 * n)) / (1 + z ** 2 / n);
  const half = (z / (1 + z ** 2 / n)) * Math.sqrt((share * (1 - share)) / n + z ** 2 / (4 * n ** 2));
  const [low, high] = [Math.max(0, middle - half), middle + half].map(
    (each) => `${(100 * each).toFixed(2)} %`,
  );
  return [percent(result.ends.undone, n), `${low} – ${high}`];
}
