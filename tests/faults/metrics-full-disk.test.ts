import { execFileSync, spawnSync } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { changeResource } from "@mainstay/api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { timelineOf, watchUntil } from "../support/changes.ts";
import { copyHello, type Hello } from "../support/hello.ts";
import { readMetric } from "../support/metrics.ts";
import { remoteWrite1, RW1_TYPE } from "../support/remote-write.ts";
import { useProduct } from "../support/use-product.ts";
import { startVisitors, type Visitors } from "../support/visitors.ts";
import { waitUntil } from "../support/wait-until.ts";

const DISK = "16m";
const LARGER_DISK = "64m";
const SERIES = 5000;
const VISITORS = 100;
/** The disk is really filled, to its last byte. */
const product = useProduct({
  env: { MAINSTAY_METRICS_MIN_FREE: "1B", MAINSTAY_METRICS_SCRAPE_INTERVAL: "1s" },
});
const GATE = { name: "files", query: 'max(mainstay_instance_open_files{release="$candidate"})', max: 1000 };

let disk: string;
let hello: Hello;
let visitors: Visitors | null = null;

beforeAll(async () => {
  hello = await copyHello(product().directory);
  await hello.write("mainstay.yaml", "mainstay.yaml");
  const gates = [{ ...GATE, interval: "1s" }];
  await hello.write("failing.yaml", "mainstay.failing.yaml", {
    rollout: { stages: [{ weight: "50%", bake: "1s" }, { weight: "100%" }], gates },
    env: { FAULT_ERRORS: "30%" },
  });
  expect((await product().cli("deploy", hello.directory)).exitCode).toBe(0);
  disk = path.join(product().dataDirectory, "metrics");
  await product().kill("parent");
  await rm(disk, { recursive: true });
  await mkdir(disk);
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK}`, "tmpfs", disk]);
  await product().upAgain();
});

afterAll(async () => {
  await visitors?.stop();
  spawnSync("umount", ["--lazy", disk]);
});

/** What a client is answered that sends one more sample of every series. */
async function write(round: number): Promise<number> {
  const series = Array.from({ length: SERIES }, (_, index) => ({
    labels: [
      ["__name__", "noise"],
      ["id", String(index)],
    ] as const,
    samples: [[Date.now() - 600_000 + round * 1000, Math.random()]] as const,
  }));
  const headers = {
    authorization: `Bearer ${product().access().MAINSTAY_TOKEN}`,
    ...{ "content-type": RW1_TYPE, "content-encoding": "snappy" },
  };
  const url = `${product().url}/prometheus/api/v1/write`;
  return (await fetch(url, { method: "POST", headers, body: remoteWrite1(series) })).status;
}

describe("a full disk under the metrics store", () => {
  it("is told to whoever sends, while what is kept is answered", async () => {
    let [round, status] = [0, 204];
    while (status === 204) status = await write(++round);
    expect(status).toBe(503);
    expect(round).toBeGreaterThan(10);
    const asked = await product().cli("metrics", "query", "count(last_over_time(noise[20m]))");
    expect(asked.stdout).toContain(`${SERIES}   {}`);
    expect(await readMetric(product(), "mainstay_metrics_store_up")).toBe(1);
  });

  it("stops neither a deploy nor its undo", async () => {
    visitors = startVisitors(product().dataPlaneUrl, VISITORS);
    const args = ["deploy", hello.directory, "--file", "failing.yaml", "--detach"];
    const { document } = await product().cliJson(changeResource, ...args);
    const { outcome } = await watchUntil(product(), document.id, ({ state }) => state === "undone");
    expect(outcome).toContain("errors: candidate");
    const verdict = (await timelineOf(product(), document.id)).find(({ to }) => to === "restoring-weights");
    expect(verdict).toMatchObject({ by: "judge" });
    expect(await write(1_000_000)).toBe(503);
  });

  it("is over once there is room, without anybody's help", async () => {
    execFileSync("mount", ["-o", `remount,size=${LARGER_DISK}`, disk]);
    await waitUntil("samples to be taken", async () => (await write(500)) === 204);
    await waitUntil("figures of now", async () => {
      const { stdout } = await product().cli("metrics", "query", "mainstay_metrics_store_up", "--json");
      return stdout.includes('"1"');
    });
  });
});
