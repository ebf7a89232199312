import { changeResource, type ChangeResource } from "@mainstay/api";
import { beforeAll, describe, expect, it } from "vitest";
import { findGaps, statesOf, timelineOf, watchUntil } from "../support/changes.ts";
import { copyHello, type Hello } from "../support/hello.ts";
import { lostOf, NOTHING_LOST, underLoad } from "../support/load.ts";
import { useProduct } from "../support/use-product.ts";
import { releaseServed, startVisitors } from "../support/visitors.ts";

const product = useProduct();
let hello: Hello;

const WELL = [{ path: "/", expect: { status: 200, bodyContains: "Hello", maxMs: "2s" } }];
const WRONG = [{ path: "/", expect: { bodyContains: "Goodbye" } }];
const BLUE_GREEN = { strategy: "blue-green", keepWarm: "2s", limits: { errorRate: "2%" } };
const ROLLING = {
  strategy: "rolling",
  rolling: { maxSurge: 1, bake: "500ms" },
  judge: { onTooLittleEvidence: "advance" },
};

beforeAll(async () => {
  hello = await copyHello(product().directory);
  await hello.write("blue-green.yaml", "mainstay.yaml", { rollout: BLUE_GREEN, more: { verify: WELL } });
  await hello.write("unverified.yaml", "mainstay.yaml", { rollout: BLUE_GREEN, more: { verify: WRONG } });
  await hello.write("failing.yaml", "mainstay.failing.yaml", {
    rollout: { ...BLUE_GREEN, keepWarm: "1h" },
    env: { FAULT_ERRORS: "20%" },
  });
  await hello.write("three.yaml", "mainstay.yaml", {
    rollout: { strategy: "immediate", keepWarm: "0s" },
    web: { instances: 3 },
  });
  const three = { instances: 3 };
  await hello.write("rolling.yaml", "mainstay.yaml", {
    rollout: ROLLING,
    web: three,
    more: { verify: WELL },
  });
  await hello.write("rolling-unverified.yaml", "mainstay.yaml", {
    rollout: ROLLING,
    web: three,
    more: { verify: WRONG },
  });
  await deploy("blue-green.yaml");
});

async function deploy(file: string): Promise<ChangeResource> {
  const result = await product().cliJson(changeResource, "deploy", hello.directory, "--file", file);
  return result.document;
}

async function settled(change: ChangeResource): Promise<void> {
  await watchUntil(product(), change.id, (each) => each.finishedAt !== null);
}

const served = () => releaseServed(product().dataPlaneUrl);
const sharesOf = async (id: string) =>
  (await statesOf(product(), id)).filter((each) => each.startsWith("stepping"));

describe("blue-green, under load", () => {
  it("verifies the new release before it gets a request, then gives it all of them at once", async () => {
    const before = await served();
    const visitors = startVisitors(product().dataPlaneUrl, 20);
    const { result: change, load } = await underLoad(product(), () => deploy("blue-green.yaml"));
    const met = await visitors.stop();
    expect({ state: change.state, weight: change.weight }).toEqual({ state: "baking", weight: 1 });
    expect(lostOf(load)).toEqual(NOTHING_LOST);
    const states = await statesOf(product(), change.id);
    expect(states.slice(3)).toEqual(["starting", "gating", "verifying", "stepping 0", "baking"]);
    const verified = (await timelineOf(product(), change.id)).find((entry) => entry.from === "verifying");
    expect(verified?.reason).toMatch(/^verified on 1 instances: GET \/ 200 within \d+ ms$/);
    for (const releases of met)
      expect([[change.candidate], [before, change.candidate]]).toContainEqual(releases);
    await settled(change);
    expect(await findGaps(product(), change.id)).toEqual([]);
  });

  it("is undone when an endpoint is not what it should be, and no user has met the candidate", async () => {
    const before = await served();
    const { result: change, load } = await underLoad(product(), () => deploy("unverified.yaml"));
    expect(change).toMatchObject({ state: "undone", weight: 0 });
    expect(change.outcome).toMatch(/GET \/ of ins_\w+: its answer does not hold "Goodbye"/);
    expect(lostOf(load)).toEqual(NOTHING_LOST);
    expect(Object.keys(load.byRelease)).toEqual([before]);
  });

  it("is undone by its limits after the switch, by one weight write", async () => {
    const before = await served();
    const { load, result } = await underLoad(product(), async () => {
      const change = await deploy("failing.yaml");
      return watchUntil(product(), change.id, (each) => each.state === "undone");
    });
    expect(result.outcome).toContain("requests of the candidate failed, more than the limit of 2%");
    expect(lostOf(load)).toEqual(NOTHING_LOST);
    expect(await served()).toBe(before);
  });
});

describe("rolling, under load", () => {
  it("replaces one instance after the other, and loses no request", async () => {
    await settled(await deploy("three.yaml"));
    const before = await served();
    const visitors = startVisitors(product().dataPlaneUrl, 20);
    const { result: change, load } = await underLoad(product(), () => deploy("rolling.yaml"));
    const met = await visitors.stop();
    await settled(change);
    expect(change.stages.map((stage) => stage.weight)).toEqual([0.3333, 0.6667, 1]);
    expect(await sharesOf(change.id)).toEqual(["stepping 0", "stepping 1", "stepping 2"]);
    expect(lostOf(load)).toEqual(NOTHING_LOST);
    for (const releases of met)
      expect([[change.candidate], [before, change.candidate]]).toContainEqual(releases);
    const { instances } = await product().observed();
    expect(instances.map((each) => each.release)).toEqual(Array.from({ length: 3 }, () => change.candidate));
    expect(await findGaps(product(), change.id)).toEqual([]);
  });

  it("goes on where it was when the server is killed between two batches", async () => {
    const { result, load } = await underLoad(product(), async () => {
      const args = ["deploy", hello.directory, "--file", "rolling.yaml", "--detach"];
      const { document } = await product().cliJson(changeResource, ...args);
      await watchUntil(product(), document.id, ({ state, stage }) => stage === 0 && state === "gating");
      await product().kill("server");
      return watchUntil(product(), document.id, (change) => change.state === "succeeded");
    });
    expect(lostOf(load)).toEqual(NOTHING_LOST);
    expect(await served()).toBe(result.candidate);
    const { instances } = await product().observed();
    expect(instances.map((each) => each.release)).toEqual(Array.from({ length: 3 }, () => result.candidate));
    expect(await findGaps(product(), result.id)).toEqual([]);
  });

  it("starts the old instances again before it takes the traffic back", async () => {
    const before = await served();
    const { result: change, load } = await underLoad(product(), () => deploy("rolling-unverified.yaml"));
    expect(change).toMatchObject({ state: "undone", weight: 0 });
    expect(lostOf(load)).toEqual(NOTHING_LOST);
    expect((await statesOf(product(), change.id)).slice(-5)).toEqual([
      ...["verifying", "restoring-instances", "restoring-weights", "draining-candidate", "undone"],
    ]);
    expect(await served()).toBe(before);
    const { instances } = await product().observed();
    expect(instances.map((each) => each.release)).toEqual([before, before, before]);
  });
});
