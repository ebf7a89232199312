import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { changeResource, type TaskResource } from "@mainstay/api";
import { beforeAll, expect, it } from "vitest";
import { findGaps, timelineOf, watchUntil } from "../support/changes.ts";
import { copyHello, UNJUDGED_ROLLOUT, type Hello } from "../support/hello.ts";
import { lostOf, NOTHING_LOST, underLoad } from "../support/load.ts";
import { useProduct } from "../support/use-product.ts";
import { releaseServed } from "../support/visitors.ts";
import { waitUntil } from "../support/wait-until.ts";

const ROLLOUT = { ...UNJUDGED_ROLLOUT, strategy: "immediate", keepWarm: "1h" };

const product = useProduct();
let hello: Hello;
let story: string;

beforeAll(async () => {
  hello = await copyHello(product().directory);
  story = path.join(product().directory, "story");
  await mkdir(story);
});

async function write(hooks: Record<string, unknown>[]) {
  await hello.write("hooked.yaml", "mainstay.yaml", {
    rollout: ROLLOUT,
    env: { STORY: story },
    more: { hooks },
  });
  return ["deploy", hello.directory, "--file", "hooked.yaml"];
}
const deploy = async (hooks: Record<string, unknown>[]) =>
  product().cliJson(changeResource, ...(await write(hooks)));
const tell = (name: string) => `echo "$MAINSTAY_STATE of $MAINSTAY_CHANGE" >> $STORY/${name}`;
const told = async (name: string) =>
  (await readFile(path.join(story, name), "utf8").catch(() => "")).split("\n").filter(Boolean);
const tasksOf = async (change: string) =>
  (await product().api().get<{ items: TaskResource[] }>(`/tasks?change=${change}`)).items;

it("runs what stands around the states once, also when server and agent are killed", async () => {
  const slow = `${tell("slow")}; while [ ! -e $STORY/go ]; do sleep 0.05; done`;
  const hooks = [
    { before: "starting", command: `${slow}; echo warmed up` },
    { after: "gating", command: "exit 3", onFailure: "ignore" },
    { before: "migrating", command: tell("never") },
  ];
  const check = await product().cli(...(await write(hooks)), "--check");
  expect(check.stdout).toMatch(/starting +hooks +before starting: echo/);
  expect(check.stdout).not.toContain("before migrating");

  const deploying = deploy(hooks);
  await waitUntil("the hook to begin", async () => (await told("slow")).length > 0);
  await product().kill("server");
  await product().untilReady();
  await product().kill("agent");
  await writeFile(path.join(story, "go"), "");
  const { document, exitCode } = await deploying;
  expect(exitCode).toBe(0);
  expect(await told("slow")).toEqual([`starting of ${document.id}`]);
  const reasons = (await timelineOf(product(), document.id)).map((each) => each.reason);
  expect(reasons).toContain("before starting (hook 1) succeeded");
  expect(reasons).toContain("after gating (hook 2) failed: exit code 3 (ignored)");
  expect((await tasksOf(document.id))[0]).toMatchObject({ kind: "hook", output: "warmed up" });
  const shown = await product().cli("change", "show", document.id);
  expect(shown.stdout).toMatch(/hook before starting \(hook 1\) ins_.*, attempt 1, succeeded/);
  expect(await findGaps(product(), document.id)).toEqual([]);
  await watchUntil(product(), document.id, (each) => each.finishedAt !== null);
});

it("undoes a change whose hook fails, and runs the hooks of the undo beside it", async () => {
  const before = await releaseServed(product().dataPlaneUrl);
  const { result, load } = await underLoad(product(), () =>
    deploy([
      { before: "stepping", command: "echo cache is cold >&2; false" },
      { before: "restoring-weights", command: `${tell("back")}; exit 1` },
      { after: "draining-candidate", command: tell("back") },
    ]),
  );
  const { document, exitCode } = result;
  expect({ exitCode, state: document.state }).toEqual({ exitCode: 1, state: "undone" });
  expect(document.outcome).toBe("the hook before stepping, stage 1 (hook 1) failed: exit code 1");
  expect(document.firstCandidateAt).toBeNull();
  expect(await told("back")).toEqual([
    `restoring-weights of ${document.id}`,
    `draining-candidate of ${document.id}`,
  ]);
  expect((await timelineOf(product(), document.id)).at(-1)?.reason).toContain(
    "before restoring-weights (hook 2) failed: exit code 1 (ignored)",
  );
  expect(lostOf(load)).toEqual(NOTHING_LOST);
  expect(Object.keys(load.byRelease)).toEqual([before]);
  expect((await product().observed()).instances.map((each) => each.process)).toEqual(["web"]);
});
