import { changeResource } from "@mainstay/api";
import { startLoad } from "../../cli/src/demo/load-process.ts";
import { copyHello, UNJUDGED_ROLLOUT } from "../../tests/support/hello.ts";
import { startProduct, type Product } from "../../tests/support/product.ts";
import { waitUntil } from "../../tests/support/wait-until.ts";
import type { BenchTable } from "../bench.ts";

export interface LossOptions {
  deploys: number;
  ratePerSecond: number;
  handOvers: number;
  kills: number;
}

/** One deploy after the other under load. Nothing is sent twice: whatever fails is a request lost. */
export async function measureLoss(options: LossOptions): Promise<BenchTable> {
  const product = await startProduct();
  try {
    const hello = await copyHello(product.directory);
    const rollout = { ...UNJUDGED_ROLLOUT, keepWarm: "1s" };
    const files = [
      await hello.write("a.yaml", "mainstay.yaml", { rollout, env: { EDITION: "a" } }),
      await hello.write("b.yaml", "mainstay.yaml", { rollout, env: { EDITION: "b" } }),
    ];
    const deploy = (number: number) =>
      product.cliJson(changeResource, "deploy", hello.directory, "--file", files[number % 2] ?? "");
    await deploy(1);
    const load = await startLoad({
      url: product.dataPlaneUrl,
      mix: "hello",
      rps: options.ratePerSecond,
      closeShare: 0.5,
      putShare: 0.2,
    });
    const ends: Record<string, number> = {};
    for (let number = 0; number < options.deploys; number += 1) {
      const disturbed = disturb(product, options, number);
      const { document } = await deploy(number);
      await disturbed;
      const end = document.state === "baking" ? "succeeded" : document.state;
      ends[end] = (ends[end] ?? 0) + 1;
      process.stderr.write(`deploy ${number + 1} of ${options.deploys}: ${end}\n`);
    }
    const { sent, ok, lost, refused, applicationErrors, lostReasons, p50Ms, p95Ms } = await load.stop();
    return {
      title: `Requests lost over ${options.deploys} deploys at ${options.ratePerSecond} requests per second`,
      columns: ["deploys", "hand-overs", "server kills", "requests", "answered", "lost", "p50", "p95"],
      rows: [[tell(ends), options.handOvers, options.kills, sent, ok, lost, `${p50Ms} ms`, `${p95Ms} ms`]],
      notes: [
        "Half of the requests over a connection of their own, the others keep-alive; one in five a PUT. No retry.",
        `Lost, by reason: ${tell(lostReasons) || "none"}. Errors of the application: ${applicationErrors}; refused: ${refused}.`,
        "Hand-over: SIGTERM to the proxy worker, whose successor takes the parent's socket. Kill: kill -9 of the server.",
      ],
    };
  } finally {
    await product.stop();
  }
}

/** Hand-overs and kills are spread evenly over the deploys, each amid the one it falls on. */
async function disturb(product: Product, options: LossOptions, number: number): Promise<void> {
  const isDue = (times: number) =>
    Math.floor(((number + 1) * times) / options.deploys) > Math.floor((number * times) / options.deploys);
  if (isDue(options.kills)) {
    await product.kill("server");
    await product.untilReady();
  }
  if (isDue(options.handOvers)) {
    const before = await product.pidOf("proxy-0");
    process.kill(before, "SIGTERM");
    await waitUntil("another proxy worker", async () => (await product.pidOf("proxy-0")) !== before);
  }
}

function tell(counts: Record<string, number>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(", ");
}
