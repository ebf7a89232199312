import { appendFile, readdir } from "node:fs/promises";
import path from "node:path";
import {
  changeResource,
  releaseResource,
  previewResource,
  type ChangeResource,
  type ServiceResource,
} from "@mainstay/api";
import { beforeAll, describe, expect, it } from "vitest";
import { findGaps, statesOf, timelineOf, watchUntil } from "../support/changes.ts";
import { copyHello, UNJUDGED_ROLLOUT, type Hello } from "../support/hello.ts";
import { lostOf, NOTHING_LOST, underLoad } from "../support/load.ts";
import { useProduct } from "../support/use-product.ts";
import { releaseServed } from "../support/visitors.ts";

/** Nobody judges, nothing hurries: what moves is moved by the test. */
const SLOW_ROLLOUT = {
  stages: [
    { weight: "10%", bake: "1h" },
    { weight: "50%", bake: "1h" },
    { weight: "100%", bake: "1s" },
  ],
  keepWarm: "1h",
};

const product = useProduct();
let hello: Hello;

beforeAll(async () => {
  hello = await copyHello(product().directory);
  await hello.write("mainstay.yaml", "mainstay.yaml", { rollout: { ...UNJUDGED_ROLLOUT, keepWarm: "1h" } });
  await hello.write("short.yaml", "mainstay.yaml", { rollout: { ...UNJUDGED_ROLLOUT, keepWarm: "1s" } });
  await hello.write("slow.yaml", "mainstay.yaml", { rollout: SLOW_ROLLOUT });
  await deploy("mainstay.yaml");
});

async function deploy(file: string): Promise<ChangeResource> {
  return (await product().cliJson(changeResource, "deploy", hello.directory, "--file", file)).document;
}

/** A change in its first stage, where it stays. */
async function begin(): Promise<ChangeResource> {
  const { document } = await product().cliJson(
    changeResource,
    ...["deploy", hello.directory, "--file", "slow.yaml", "--detach"],
  );
  return watchUntil(product(), document.id, (change) => change.state === "stepping");
}

async function until(id: string, state: string): Promise<ChangeResource> {
  return watchUntil(product(), id, (change) => change.state === state);
}

async function order(...args: string[]): Promise<ChangeResource> {
  const { exitCode, document } = await product().cliJson(changeResource, "change", ...args);
  expect(exitCode).toBe(0);
  return document;
}

const served = () => releaseServed(product().dataPlaneUrl);

describe("rolling back", () => {
  it("is one weight write while the earlier release is warm, and loses no request", async () => {
    const before = await served();
    const change = await deploy("mainstay.yaml");
    expect(change.state).toBe("baking");
    const { result, load } = await underLoad(product(), () => product().cli("rollback", "hello"));
    expect(result).toMatchObject({ exitCode: 0, stderr: "" });
    expect(lostOf(load)).toEqual(NOTHING_LOST);
    expect(await served()).toBe(before);

    const timeline = await timelineOf(product(), change.id);
    expect(timeline.map((entry) => entry.to).slice(-3)).toEqual([
      "restoring-weights",
      "draining-candidate",
      "undone",
    ]);
    const [restoring, draining] = timeline.slice(-3);
    const tookMs = Date.parse(draining?.at ?? "") - Date.parse(restoring?.at ?? "");
    process.stdout.write(`rollback while warm: weights restored after ${tookMs} ms\n`);
    expect(tookMs).toBeLessThan(3000);
  });

  it("brings the release before back once that is stopped, and leaves both in the list", async () => {
    const before = await served();
    const change = await deploy("short.yaml");
    await until(change.id, "succeeded");
    expect(await served()).toBe(change.candidate);
    const { result, load } = await underLoad(product(), () => product().cli("rollback", "hello"));
    expect(result.exitCode).toBe(0);
    expect(lostOf(load)).toEqual(NOTHING_LOST);
    const [latest] = (await product().cliJson(changeResource.array(), "change", "list", "--limit", "1"))
      .document;
    expect(latest).toMatchObject({ candidate: before, reason: `rolls ${change.id} back` });
    const { document: releases } = await product().cliJson(releaseResource.array(), "releases", "hello");
    expect(releases.map((each) => each.id)).toEqual(expect.arrayContaining([before, change.candidate]));
  });
});

describe("a change that an operator steers", () => {
  it("pauses, resumes and is promoted by order, with who and why in its timeline", async () => {
    const change = await begin();
    expect(await order("pause", change.id, "--reason", "lunch")).toMatchObject({
      state: "paused",
      weight: 0.1,
    });
    expect(await order("resume", change.id)).toMatchObject({ state: "stepping", stage: 0 });
    expect(await order("promote", change.id)).toMatchObject({ state: "stepping", stage: 1, weight: 0.5 });
    expect(await order("promote", change.id, "--full")).toMatchObject({ stage: 2, weight: 1 });
    await until(change.id, "baking");
    expect(await findGaps(product(), change.id)).toEqual([]);
    const paused = (await timelineOf(product(), change.id)).find((entry) => entry.to === "paused");
    expect(paused).toMatchObject({ by: change.requestedBy.name, reason: "lunch" });
  });

  it("is aborted by order, and the release before serves as it did", async () => {
    const before = await served();
    const change = await begin();
    await order("abort", change.id, "--reason", "wrong branch");
    expect(await until(change.id, "undone")).toMatchObject({ outcome: "wrong branch", weight: 0 });
    expect(await served()).toBe(before);
    expect((await statesOf(product(), change.id)).slice(-3)).toEqual([
      "restoring-weights",
      "draining-candidate",
      "undone",
    ]);
    const again = await product().cli("change", "abort", change.id);
    expect(again.exitCode).toBe(1);
    expect(again.stderr).toContain(`${change.id} cannot abort while it is undone`);
  });

  it("holds its target: another is refused by name, and goes on when asked again", async () => {
    const change = await begin();
    const { exitCode, stderr } = await product().cli("deploy", hello.directory);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`is being altered by ${change.id} (stepping)`);
    expect(stderr).toContain(`mainstay change abort ${change.id}`);
    await order("abort", change.id);
    await until(change.id, "undone");
    expect((await deploy("mainstay.yaml")).state).toBe("baking");
  });

  it("is still under way when nobody waits for it any more (exit 5)", async () => {
    const { exitCode, stdout, stderr } = await product().cli(
      ...["deploy", hello.directory, "--file", "slow.yaml", "--timeout", "2s"],
    );
    const id = /chg_\w+/.exec(stdout)?.[0] ?? "";
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 5, stderr: expect.stringContaining(id) });
    expect(await product().api().get<ChangeResource>(`/changes/${id}`)).toMatchObject({ finishedAt: null });
    await order("abort", id);
    await until(id, "undone");
  });
});

describe("before anything is altered", () => {
  it("deploy --check shows the plan and leaves services, instances and changes as they are", async () => {
    const look = async () => {
      const services = await product().api().get<{ items: ServiceResource[] }>("/services");
      const arranged = services.items.map(({ instances, ...each }) => [
        each,
        instances.map(({ id, pid }) => [id, pid]),
      ]);
      return [arranged, await product().api().get("/changes")];
    };
    const before = await look();
    const { exitCode, document } = await product().cliJson(
      previewResource,
      "deploy",
      hello.directory,
      "--check",
    );
    expect(exitCode).toBe(0);
    expect(document.findings).toEqual([]);
    expect(document.change.steps.map((step) => step.title).join("\n")).toContain("give 10% of the traffic");
    expect(await look()).toEqual(before);
  });

  it("a release whose stored files were altered is refused", async () => {
    const { document } = await product().cliJson(
      releaseResource.array(),
      "releases",
      "hello",
      "--limit",
      "1",
    );
    const digest = document[0]?.digest.replace("sha256:", "") ?? "";
    const stored = path.join(product().dataDirectory, "releases", digest);
    expect(await readdir(stored)).toContain("server.mjs");
    const { document: checked } = await product().cliJson(
      previewResource,
      "deploy",
      hello.directory,
      "--check",
    );
    await appendFile(path.join(stored, "server.mjs"), "\n// altered\n");

    const { exitCode, stderr } = await product().cli("deploy", "--release", checked.change.candidate);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      `the files of release ${checked.change.candidate} are not the ones that were registered`,
    );
    const preview = await product().cli("deploy", "--release", checked.change.candidate, "--check");
    expect(preview).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("are not the ones") });
    // Deployed again from its source, it is stored anew.
    expect((await deploy("mainstay.yaml")).state).toBe("baking");
  });
});
