import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { copyHello, UNJUDGED_ROLLOUT } from "../support/hello.ts";
import type { Product } from "../support/product.ts";
import { readMetric } from "../support/metrics.ts";
import { remoteWrite2, RW2_TYPE } from "../support/remote-write.ts";
import { useProduct } from "../support/use-product.ts";
import { waitUntil } from "../support/wait-until.ts";

const SERIES = 200;
const ROUNDS_BEFORE = 40;
const STEP_MS = 1_000;

function headersOf(product: Product): Record<string, string> {
  return { authorization: `Bearer ${product.access().MAINSTAY_TOKEN}` };
}

/** One sample of each series, with the number of the round as its value. */
function requestOf(round: number, firstMs: number): Uint8Array<ArrayBuffer> {
  const series = Array.from({ length: SERIES }, (_, index) => ({
    labels: [
      ["__name__", "rounds"],
      ["id", String(index)],
    ] as const,
    samples: [[firstMs + round * STEP_MS, round]] as const,
  }));
  return remoteWrite2(series);
}

async function write(product: Product, body: Uint8Array<ArrayBuffer>): Promise<number> {
  const headers = { ...headersOf(product), "content-type": RW2_TYPE, "content-encoding": "snappy" };
  const url = `${product.url}/prometheus/api/v1/write`;
  return (await fetch(url, { method: "POST", headers, body })).status;
}

const vector = z.object({
  data: z.object({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) }),
});

async function ask(product: Product, query: string, timeMs: number): Promise<number | null> {
  const parameters = new URLSearchParams({ query, time: String(timeMs / 1000) });
  const url = `${product.url}/prometheus/api/v1/query?${parameters.toString()}`;
  const answer = await fetch(url, { headers: headersOf(product) }).catch(() => null);
  if (answer?.status !== 200) return null;
  const { data } = vector.parse(await answer.json());
  return Number(data.result[0]?.value[1] ?? 0);
}

describe("the metrics store", () => {
  const product = useProduct();

  it("has every sample again that it answered before the server was killed", async () => {
    const firstMs = Date.now() - 600_000;
    let answered = 0;
    let sending = true;
    const killed = waitUntil("some rounds", () => answered >= ROUNDS_BEFORE).then(() =>
      product().kill("server"),
    );
    for (let round = 1; sending; round++) {
      const status = await write(product(), requestOf(round, firstMs)).catch(() => null);
      if (status === 204) answered = round;
      else sending = false;
    }
    await killed;
    await product().untilReady();
    const endMs = firstMs + answered * STEP_MS;
    const count = await waitUntil("the store", () =>
      ask(product(), `sum(count_over_time(rounds[1h] @ ${(endMs + STEP_MS) / 1000}))`, endMs + STEP_MS),
    );
    expect(count).toBeGreaterThanOrEqual(answered * SERIES);
    expect(await ask(product(), "min(rounds)", endMs)).toBe(answered);
  });

  it("stops neither the server nor a deploy when its directory cannot be used, and comes back", async () => {
    const directory = path.join(product().dataDirectory, "metrics");
    await product().kill("server");
    await rm(directory, { recursive: true, force: true });
    await writeFile(directory, "in the way");
    await product().untilReady();
    expect(await write(product(), requestOf(1, Date.now()))).toBe(503);
    const hello = await copyHello(product().directory);
    await hello.write("mainstay.yaml", "mainstay.yaml", { rollout: UNJUDGED_ROLLOUT });
    expect((await product().cli("deploy", hello.directory)).exitCode).toBe(0);
    expect(await readMetric(product(), "mainstay_metrics_store_up")).toBe(0);
    await rm(directory);
    await waitUntil("the store", async () => (await write(product(), requestOf(1, Date.now()))) === 204);
    expect(existsSync(path.join(directory, "wal"))).toBe(true);
    expect(await readMetric(product(), "mainstay_metrics_store_up")).toBe(1);
  });
});
