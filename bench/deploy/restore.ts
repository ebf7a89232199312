import { changeResource, type ChangeResource } from "@mainstay/api";
import { startLoad } from "../../cli/src/demo/load-process.ts";
import { watchChange } from "../../cli/src/watch-change.ts";
import { timelineOf, watchUntil } from "../../tests/support/changes.ts";
import { copyHello, UNJUDGED_ROLLOUT } from "../../tests/support/hello.ts";
import { startProduct, type Product } from "../../tests/support/product.ts";
import type { BenchTable } from "../bench.ts";

/** Rates, and the part of the runs that each gets: thin traffic takes minutes a run. */
const RATES: readonly [ratePerSecond: number, part: number][] = [
  [500, 1],
  [50, 0.5],
  [5, 0.1],
];
const PATIENCE_MS = 30 * 60_000;
const STAGES = { stages: [{ weight: "10%", bake: "1h" }, { weight: "100%" }], keepWarm: "1s" };
const FAULTY_COMMAND = "node --import ./faults.mjs server.mjs";

/**
 * From the first request of a candidate that fails 5 % to
 * all weights restored; the stable release fails 0.5 %.
 */
export async function measureRestores(runs: number): Promise<BenchTable> {
  const product = await startProduct();
  try {
    const hello = await copyHello(product.directory);
    const web = { command: FAULTY_COMMAND };
    await hello.write("stable.yaml", "mainstay.yaml", {
      web,
      env: { FAULT_ERRORS: "0.5%" },
      rollout: UNJUDGED_ROLLOUT,
    });
    await hello.write("bad.yaml", "mainstay.yaml", { web, env: { FAULT_ERRORS: "5%" }, rollout: STAGES });
    await deploy(product, hello.directory, "stable.yaml");
    const rows: (string | number)[][] = [];
    for (const [ratePerSecond, part] of RATES) {
      const load = await startLoad({ url: product.dataPlaneUrl, mix: "hello", rps: ratePerSecond });
      const seconds: number[] = [];
      for (let run = 0; run < Math.max(1, Math.round(runs * part)); run += 1) {
        seconds.push(await untilRestored(product, await deploy(product, hello.directory, "bad.yaml")));
        process.stderr.write(`${ratePerSecond}/s, restored after ${seconds.at(-1)?.toFixed(1)} s\n`);
      }
      await load.stop();
      rows.push([ratePerSecond, seconds.length, ...spread(seconds)]);
    }
    return {
      title:
        "Seconds from a bad candidate's first request to weights restored: 5 % errors against 0.5 %, 10 % of users",
      columns: ["requests/s", "runs", "median", "least", "most"],
      rows,
      notes: ["The judge's default settings; errors and latency judged."],
    };
  } finally {
    await product.stop();
  }
}

/** An operator's rollback after 100 %, while the old release is warm. */
export async function measureRollbacks(runs: number): Promise<BenchTable> {
  const product = await startProduct();
  try {
    const hello = await copyHello(product.directory);
    const rollout = { ...UNJUDGED_ROLLOUT, keepWarm: "1h" };
    await hello.write("stable.yaml", "mainstay.yaml", { rollout, env: { EDITION: "old" } });
    await hello.write("next.yaml", "mainstay.yaml", { rollout, env: { EDITION: "new" } });
    await deploy(product, hello.directory, "stable.yaml");
    const load = await startLoad({ url: product.dataPlaneUrl, mix: "hello", rps: 200 });
    const seconds: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      const change = await deploy(product, hello.directory, "next.yaml");
      const startMs = performance.now();
      await product.api().post(`/changes/${change.id}/rollback`, {});
      await watchUntil(
        product,
        change.id,
        ({ state }) => state === "draining-candidate" || state === "undone",
      );
      seconds.push((performance.now() - startMs) / 1000);
      await watchUntil(product, change.id, ({ finishedAt }) => finishedAt !== null);
    }
    const { sent, lost } = await load.stop();
    return {
      title:
        "Seconds from an operator's rollback after 100 % to weights restored, the old release being warm",
      columns: ["runs", "median", "least", "most", "requests meanwhile", "lost"],
      rows: [[seconds.length, ...spread(seconds), sent, lost]],
      notes: ["From the call of the API to the state draining-candidate seen by a watcher."],
    };
  } finally {
    await product.stop();
  }
}

/** Resolves at the end of the change, or once all traffic is on the candidate. */
async function deploy(product: Product, directory: string, file: string): Promise<ChangeResource> {
  const args = ["deploy", directory, "--file", file, "--detach"];
  const { document } = await product.cliJson(changeResource, ...args);
  return watchChange(product.api(), {
    id: document.id,
    signal: AbortSignal.timeout(PATIENCE_MS),
    isDone: ({ state, finishedAt }) => state === "baking" || finishedAt !== null,
    onItem: () => {},
  });
}

async function untilRestored(product: Product, change: ChangeResource): Promise<number> {
  const restored = (await timelineOf(product, change.id)).find(({ to }) => to === "draining-candidate");
  if (change.state !== "undone" || !restored || change.firstCandidateAt === null)
    throw new Error(`${change.id} is ${change.state}: ${change.outcome}`);
  return (Date.parse(restored.at) - Date.parse(change.firstCandidateAt)) / 1000;
}

function spread(seconds: number[]): string[] {
  const sorted = seconds.toSorted((a, b) => a - b);
  const [median, least, most] = [sorted[Math.floor(sorted.length / 2)], sorted[0], sorted.at(-1)];
  return [median, least, most].map((each) => (each ?? 0).toFixed(2));
}
