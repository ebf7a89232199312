import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { changeResource, type ChangeResource, type ServiceResource } from "@mainstay/api";
import { beforeAll, describe, expect, it } from "vitest";
import { findGaps, statesOf, watchUntil } from "../support/changes.ts";
import { copyHello, UNJUDGED_ROLLOUT, type Hello } from "../support/hello.ts";
import { lostOf, NOTHING_LOST, underLoad } from "../support/load.ts";
import { useProduct } from "../support/use-product.ts";
import { releaseServed } from "../support/visitors.ts";
import { waitUntil } from "../support/wait-until.ts";

const SCHEDULER = fileURLToPath(new URL("../support/hello/scheduler.sh", import.meta.url));
const ROLLOUT = { ...UNJUDGED_ROLLOUT, keepWarm: "1h" };

const product = useProduct();
let hello: Hello;
let story: string;

beforeAll(async () => {
  hello = await copyHello(product().directory);
  story = path.join(product().directory, "story");
  await mkdir(story);
  await cp(SCHEDULER, path.join(hello.directory, "scheduler.sh"));
});

/** Writes a service file with more processes and a release command, and deploys it. */
async function deploy(
  more: { processes?: Record<string, unknown>; [key: string]: unknown },
  rollout: Record<string, unknown> = ROLLOUT,
) {
  const { processes = {}, ...top } = more;
  await hello.write("varied.yaml", "mainstay.yaml", { rollout, env: { STORY: story }, more: top });
  const file = path.join(hello.directory, "varied.yaml");
  const text = JSON.parse(await readFile(file, "utf8")) as { processes: Record<string, unknown> };
  await writeFile(file, JSON.stringify({ ...text, processes: { ...text.processes, ...processes } }));
  return product().cliJson(changeResource, "deploy", hello.directory, "--file", "varied.yaml");
}

const told = async (name = "told") =>
  (await readFile(path.join(story, name), "utf8").catch(() => "")).split("\n").filter(Boolean);
const served = () => releaseServed(product().dataPlaneUrl);
const untilState = (id: string, state: string) => watchUntil(product(), id, (each) => each.state === state);

/** Without a release to keep warm a change ends by itself. */
async function settle(change: ChangeResource): Promise<void> {
  if (change.stable !== null) await product().api().post(`/changes/${change.id}/finish`);
  await untilState(change.id, "succeeded");
}

describe("a scheduler", () => {
  const processes = { scheduler: { command: "/bin/sh scheduler.sh", singleton: true } };

  it("never runs twice: not during a canary, not at the cut-over, not when it is undone", async () => {
    const first = (await deploy({ processes })).document;
    await settle(first);
    expect(await told()).toEqual([`begin ${first.candidate}`]);

    const stages = [
      { weight: "50%", bake: "1h" },
      { weight: "100%", bake: "0s" },
    ];
    const waiting = deploy({ processes }, { ...ROLLOUT, stages });
    const second = await waitUntil("the second release to get traffic", async () => {
      const { items } = await product().api().get<{ items: ChangeResource[] }>("/changes?limit=1");
      return items[0]?.state === "stepping" && items[0];
    });
    expect(await told()).toEqual([`begin ${first.candidate}`]);

    await product().cli("change", "promote", second.id);
    expect((await waiting).document.state).toBe("baking");
    const [old, candidate] = [first.candidate, second.candidate];
    await waitUntil("the new one to run", async () => (await told()).at(-1) === `begin ${candidate}`);
    expect(await told()).toEqual([`begin ${old}`, `end ${old}`, `begin ${candidate}`]);

    expect((await product().cli("rollback", "hello")).exitCode).toBe(0);
    await waitUntil("the old one to run again", async () => (await told()).at(-1) === `begin ${old}`);
    expect((await told()).slice(3)).toEqual([`end ${candidate}`, `begin ${old}`]);
    expect(await findGaps(product(), second.id)).toEqual([]);
  });
});

describe("a release command", () => {
  const command = (text: string, more: Record<string, unknown> = {}) => ({
    release: { command: text, compatibility: "expand", ...more },
  });

  it("runs once before the release gets traffic, and its output is kept", async () => {
    const { document, exitCode } = await deploy(
      command("echo migrated for $MAINSTAY_RELEASE >> $STORY/once; echo done"),
    );
    expect({ exitCode, state: document.state }).toEqual({ exitCode: 0, state: "baking" });
    expect(await told("once")).toEqual([`migrated for ${document.candidate}`]);
    expect(await statesOf(product(), document.id)).toContain("migrating");
    const shown = await product().cli("change", "show", document.id);
    expect(shown.stdout).toContain("  | done");
    const logs = await product().cli("logs", "hello", "--process", "release");
    expect(logs).toMatchObject({ exitCode: 0, stdout: "done\n" });
    await settle(document);
  });

  it("runs once also when the server is killed while it does", async () => {
    const waits =
      "echo begun >> $STORY/killed; while [ ! -e $STORY/go ]; do sleep 0.05; done; echo ended >> $STORY/killed";
    const { result, load } = await underLoad(product(), async () => {
      const deploying = deploy(command(waits));
      await waitUntil("the command to run", async () => (await told("killed")).length > 0);
      await product().kill("server");
      await product().untilReady();
      await product().kill("agent");
      await writeFile(path.join(story, "go"), "");
      return deploying;
    });
    expect(result.document.state).toBe("baking");
    expect(await told("killed")).toEqual(["begun", "ended"]);
    expect(lostOf(load)).toEqual(NOTHING_LOST);
    expect(await findGaps(product(), result.document.id)).toEqual([]);
    await settle(result.document);
  });

  it.each([
    { title: "fails", text: "echo no such column >&2; exit 3", why: /release command failed: exit code 3/ },
    { title: "takes too long", text: "sleep 617", why: /ended after 1s, its time limit/ },
  ])("that $title is undone before any traffic, and nothing is lost", async ({ text, why }) => {
    const before = await served();
    const { result, load } = await underLoad(product(), () => deploy(command(text, { timeout: "1s" })));
    expect(result.exitCode).toBe(1);
    expect(result.document).toMatchObject({ state: "undone", firstCandidateAt: null, weight: 0 });
    expect(result.document.outcome).toMatch(why);
    expect(lostOf(load)).toEqual(NOTHING_LOST);
    expect(Object.keys(load.byRelease)).toEqual([before]);
    expect(await statesOf(product(), result.document.id)).not.toContain("starting");
  });

  it("of compatibility contract leaves no way back: rolling back is refused with the way out", async () => {
    const before = await served();
    const { document } = await deploy(command("echo contracted", { compatibility: "contract" }));
    await untilState(document.id, "succeeded");
    expect(await served()).toBe(document.candidate);
    const refused = await product().cli("rollback", "hello");
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain(`${before} cannot run any more`);
    expect(refused.stderr).toMatch(/→ Roll forward.*restore a backup/);
    const again = await product().cli("deploy", "--release", before ?? "");
    expect(again).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("compatibility: contract") });
  });

  it("of compatibility contract whose release never gets healthy ends blocked, not undone", async () => {
    const before = await served();
    const contract = command("echo contracted", { compatibility: "contract" });
    const processes = { worker: { command: "false" } };
    const { document, exitCode } = await deploy({ ...contract, processes });
    expect({ exitCode, state: document.state, weight: document.weight }).toEqual({
      exitCode: 1,
      state: "undo-blocked",
      weight: 0,
    });
    expect(document.outcome).toContain("crashed 3 times");
    expect(await served()).toBe(before);
    const { items } = await product().api().get<{ items: ServiceResource[] }>("/services");
    expect(items[0]?.instances.filter((each) => each.release === document.candidate)).toEqual([]);
    // Rolling forward is the way out.
    const forward = (await deploy({})).document;
    expect(forward.state).toBe("baking");
    await settle(forward);
  });
});

describe("a limit of memory", () => {
  it("kills what exceeds it, and status says so", async () => {
    const platform = await product().api().get<{ resourceLimits: { by: string } }>("/platform");
    if (platform.resourceLimits.by === "none") return;
    const hungry = `${process.execPath} -e "const kept=[];for(;;)kept.push(Buffer.alloc(8e6,1))"`;
    const processes = { hungry: { command: hungry } };
    const { document } = await deploy({ processes, ...{ resources: { memory: "96MiB" } } });
    expect(document).toMatchObject({
      state: "undone",
      outcome: expect.stringContaining("killed for exceeding 96MiB"),
    });
  });
});
