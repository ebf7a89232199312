import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { changeResource, previewResource, type ChangeResource } from "@mainstay/api";
import { beforeAll, expect, it } from "vitest";
import { timelineOf, watchUntil } from "../support/changes.ts";
import { copyHello, type Hello } from "../support/hello.ts";
import { useProduct } from "../support/use-product.ts";
import { waitUntil } from "../support/wait-until.ts";
import { releaseServed } from "../support/visitors.ts";

const product = useProduct();
let hello: Hello;

const ROLLOUT = {
  stages: [{ weight: "50%", bake: "1s" }, { weight: "100%" }],
  ...{ keepWarm: "1s", judge: { onTooLittleEvidence: "advance" } },
};
const QUEUE = {
  ...{ name: "queue", query: 'max by (zone) (queue_length{service="$service", release="$candidate"})' },
  ...{ max: 100, interval: "1s" },
};

beforeAll(async () => {
  hello = await copyHello(product().directory);
  const write = (file: string, gates: unknown[], judge: object = ROLLOUT.judge) =>
    hello.write(file, "mainstay.yaml", { rollout: { ...ROLLOUT, judge, gates } });
  await write("plain.yaml", []);
  await write("gated.yaml", [QUEUE]);
  const compare = {
    bad: 'sum(orders_failed_total{release="$release"})',
    total: 'sum(orders_total{release="$release"})',
  };
  await write("compared.yaml", [{ name: "orders", compare, interval: "1s" }], {});
  await write("broken.yaml", [{ ...QUEUE, query: "max(queue_length" }]);
  await product().cli("deploy", hello.directory, "--file", "plain.yaml");
});

async function begin(file: string): Promise<ChangeResource> {
  const args = ["deploy", hello.directory, "--file", file, "--detach"];
  const { document } = await product().cliJson(changeResource, ...args);
  return watchUntil(product(), document.id, ({ state }) => state === "stepping");
}

async function push(release: string, lengths: Record<string, number>): Promise<void> {
  const metrics = Object.entries(lengths).map(([zone, value]) => {
    return { name: "queue_length", labels: { service: "hello", release, zone }, value };
  });
  await product().api().post("/metrics", { metrics });
}

const untilGate = (id: string, state: string) =>
  watchUntil(product(), id, ({ gates }) => gates.some((each) => each.state === state));

it("a release whose gate fails is undone, with the gate named and its number told", async () => {
  const before = await releaseServed(product().dataPlaneUrl);
  const { id, candidate } = await begin("gated.yaml");
  await push(candidate, { a: 3, b: 4000 });
  const undone = await watchUntil(product(), id, ({ state }) => state === "undone");
  expect(undone.outcome).toBe('gate queue failed: 4000 of {zone="b"}, more than 100');
  expect(await releaseServed(product().dataPlaneUrl)).toBe(before);
  const entry = (await timelineOf(product(), id)).find(({ to }) => to === "restoring-weights");
  expect(entry).toMatchObject({ by: "gate", gates: [{ name: "queue", state: "broken", value: 4000 }] });
  const shown = await product().cli("change", "show", id);
  expect(shown.stdout).toContain('gate: gate queue failed: 4000 of {zone="b"}, more than 100');
});

it("one whose gate has no data holds, says so everywhere, and goes on once there is some", async () => {
  const { id, candidate } = await begin("gated.yaml");
  await untilGate(id, "no-data");
  const status = await product().cli("status");
  expect(status.stdout).toContain(`gate of ${id}, queue: no data (the query found nothing)`);
  const shown = await product().cli("change", "show", id);
  expect(shown.stdout).toMatch(/gate {7}queue: no data \(the query found nothing\)\n/);
  expect(shown.stdout).toContain("gate: gate queue has no data: the query found nothing");
  await push(candidate, { a: 3 });
  const { weight } = await watchUntil(product(), id, ({ state }) => state === "baking");
  expect(weight).toBe(1);
  await watchUntil(product(), id, ({ finishedAt }) => finishedAt !== null);
});

it("counts of both releases that tell them apart undo the release, by the judge", async () => {
  const { id, candidate, stable } = await begin("compared.yaml");
  const counted = (release: string | null, total: number, bad: number) => [
    { name: "orders_total", labels: { release: release ?? "" }, value: total },
    { name: "orders_failed_total", labels: { release: release ?? "" }, value: bad },
  ];
  let seconds = 0;
  const undone = await waitUntil(
    "the undo",
    async () => {
      seconds += 1;
      const metrics = [
        ...counted(stable, seconds * 30, seconds),
        ...counted(candidate, seconds * 30, seconds * 15),
      ];
      await product().api().post("/metrics", { metrics });
      const change = await product().api().get<ChangeResource>(`/changes/${id}`);
      return change.state === "undone" && change;
    },
    { deadlineMs: 60_000, lookMs: 1000 },
  );
  expect(undone.outcome).toMatch(/^gate orders: candidate 50 % \(\d+ of \d+ requests\) bad/);
  expect((await timelineOf(product(), id)).find(({ to }) => to === "restoring-weights")?.by).toBe("judge");
});

it("a gate that is no PromQL is found before anything starts, with its place", async () => {
  const args = ["deploy", hello.directory, "--file", "broken.yaml", "--check"];
  const { document } = await product().cliJson(previewResource, ...args);
  const found = document.findings.find(({ code }) => code === "PREFLIGHT_GATE");
  expect(found?.message).toMatch(/^the query of the gate queue cannot be asked: 1:\d+: parse error: /);
});

it("a store that is gone holds what is gated, and stops no undo", async () => {
  const before = await releaseServed(product().dataPlaneUrl);
  const { id } = await begin("gated.yaml");
  const metrics = path.join(product().dataDirectory, "metrics");
  await product().kill("server");
  await rm(metrics, { recursive: true, force: true });
  await writeFile(metrics, "in the way");
  await product().untilReady();
  const held = await watchUntil(product(), id, ({ gates }) =>
    gates.some(({ reason }) => reason.startsWith("the metrics store is not running")),
  );
  expect(held).toMatchObject({ state: "stepping", stage: 0, gates: [{ state: "no-data" }] });
  await product().cli("change", "abort", id, "--reason", "enough");
  const undone = await watchUntil(product(), id, ({ state }) => state === "undone");
  expect(undone.outcome).toBe("enough");
  expect(await releaseServed(product().dataPlaneUrl)).toBe(before);
});
