import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startLoad } from "../../cli/src/demo/load-process.ts";
import { copyHello, UNJUDGED_ROLLOUT } from "../../tests/support/hello.ts";
import { startProduct, type Product } from "../../tests/support/product.ts";
import type { BenchReport, BenchTable } from "../bench.ts";
import { cpuSecondsOf, memoryShareBytesOf, processTree } from "../proxy/process-tree.ts";

const SETTLE_MS = 20_000;
const WATCH_MS = 20_000;
const RATE_PER_SECOND = 200;
const MB = 1e6;
const MIB = 2 ** 20;
/** What the idle platform is meant to stay below. */
const TARGET_BYTES = 300 * MB;

/** What the platform itself takes: memory by process and processor time, idle and under traffic. */
export async function run(): Promise<BenchReport> {
  const own = mkdtempSync(join(tmpdir(), "bench-footprint-"));
  // A Node of its own: the pages of a program are shared
  // among all that run it, and PSS counts a part of each.
  const program = process.execPath;
  process.execPath = join(own, "node");
  copyFileSync(program, process.execPath);
  const product = await startProduct({ env: { NODE_COMPILE_CACHE: join(own, "cache") } });
  try {
    const idle = await measure(product, "idle, freshly started");
    const hello = await copyHello(product.directory);
    await hello.write("mainstay.yaml", "mainstay.yaml", { rollout: UNJUDGED_ROLLOUT });
    for (const _ of [1, 2, 3]) await product.cli("deploy", hello.directory);
    const served = await measure(product, "one service, three deploys later, no traffic");
    const load = await startLoad({ url: product.dataPlaneUrl, mix: "hello", rps: RATE_PER_SECOND });
    const busy = await measure(product, `one service, ${RATE_PER_SECOND} requests per second`);
    await load.stop();
    return { tables: [idle, served, busy] };
  } finally {
    await product.stop();
    process.execPath = program;
    rmSync(own, { recursive: true });
  }
}

async function measure(product: Product, title: string): Promise<BenchTable> {
  await pass(SETTLE_MS);
  const root = await product.pidOf("parent");
  const agent = await product.pidOf("agent");
  const services = new Set(processTree(agent).filter((pid) => pid !== agent));
  const before = cpuSecondsOf(root);
  await pass(WATCH_MS);
  const cpuShare = (cpuSecondsOf(root) - before) / (WATCH_MS / 1000);
  const parts = new Map<string, number>();
  for (const pid of processTree(root).filter((each) => !services.has(each))) {
    const part = await partOf(product, pid);
    parts.set(part, (parts.get(part) ?? 0) + memoryShareBytesOf(pid));
  }
  const sumBytes = [...parts.values()].reduce((sum, each) => sum + each, 0);
  return {
    title: `Footprint: ${title}`,
    columns: ["part", "MB (PSS)", "MiB"],
    rows: [...parts, ["all", sumBytes] as const].map(([part, bytes]) => [
      part,
      (bytes / MB).toFixed(0),
      (bytes / MIB).toFixed(0),
    ]),
    notes: [
      `Processor time, the service's own included: ${(100 * cpuShare).toFixed(1)} % of one core over ${WATCH_MS / 1000} s.`,
      "Memory without the service's own processes, by a Node that nothing else on the machine runs.",
      `${sumBytes <= TARGET_BYTES ? "Within" : "Above"} ${TARGET_BYTES / MB} MB (${(TARGET_BYTES / MIB).toFixed(0)} MiB).`,
    ],
  };
}

async function partOf(product: Product, pid: number): Promise<string> {
  for (const name of ["parent", "agent", "server", "proxy-0"]) {
    if ((await product.pidOf(name)) === pid) return name;
  }
  return readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("postgres") ? "postgres" : "other";
}

function pass(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}
