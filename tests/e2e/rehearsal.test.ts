import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { changeResource, type ServiceResource, type TaskResource } from "@mainstay/api";
import { beforeAll, expect, it } from "vitest";
import { findGaps, statesOf, timelineOf, watchUntil } from "../support/changes.ts";
import { copyHello, UNJUDGED_ROLLOUT, type Hello } from "../support/hello.ts";
import { lostOf, NOTHING_LOST, underLoad } from "../support/load.ts";
import { useProduct } from "../support/use-product.ts";
import { waitUntil } from "../support/wait-until.ts";

/** Tells that it begins; cannot start on the schema "dropped", and takes its time on the schema "slow". */
const PICKY = `echo "begin $MAINSTAY_INSTANCE" >> "$STORY/begun"
test ! -e "$STORY/dropped" || { echo no such column; exit 4; }
while [ -e "$STORY/slow" ]; do sleep 0.05; done
exec node --import ./traced.mjs server.mjs
`;
const ROLLOUT = { ...UNJUDGED_ROLLOUT, strategy: "immediate", keepWarm: "0s" };

const product = useProduct();
let hello: Hello;
let story: string;

beforeAll(async () => {
  hello = await copyHello(product().directory);
  story = path.join(product().directory, "story");
  await mkdir(story);
  await writeFile(path.join(hello.directory, "picky.sh"), PICKY);
});

async function deploy(release?: Record<string, unknown>) {
  const more = release ? { release: { ...release, compatibility: "expand" } } : {};
  const web = { command: "/bin/sh picky.sh" };
  await hello.write("picky.yaml", "mainstay.yaml", { rollout: ROLLOUT, env: { STORY: story }, web, more });
  return product().cliJson(changeResource, "deploy", hello.directory, "--file", "picky.yaml");
}

const begun = async () => (await readFile(path.join(story, "begun"), "utf8")).trim().split("\n");
const rehearsalsOf = async (change: string) => {
  const { items } = await product().api().get<{ items: TaskResource[] }>(`/tasks?change=${change}`);
  return items.filter((each) => each.kind === "rehearsal");
};
/** Of any process, whether or not anybody wants it. */
const running = async () => (await product().observed()).instances.map((each) => each.process);

it("starts the stable release once, out of traffic, also when server and agent are killed", async () => {
  const first = (await deploy()).document;
  await watchUntil(product(), first.id, (each) => each.state === "succeeded");
  const { result, load } = await underLoad(product(), async () => {
    const deploying = deploy({ command: "touch $STORY/slow" });
    await waitUntil("the rehearsal to begin", async () => (await begun()).length === 2);
    await product().kill("server");
    await product().untilReady();
    await product().kill("agent");
    await rm(path.join(story, "slow"));
    return deploying;
  });
  const { id, candidate } = result.document;
  await watchUntil(product(), id, (each) => each.state === "succeeded");
  expect(await statesOf(product(), id)).toEqual([
    ...["requested", "locked", "preflight", "migrating", "rehearsing", "starting", "gating"],
    ...["stepping 0", "baking", "draining", "succeeded"],
  ]);
  const left = (await timelineOf(product(), id)).find((each) => each.from === "rehearsing");
  expect(left?.reason).toBe(`${first.candidate} started on the new schema, out of traffic, and was healthy`);
  const [rehearsal, ...others] = await rehearsalsOf(id);
  expect(rehearsal).toMatchObject({ release: first.candidate, state: "succeeded", name: candidate });
  expect(others).toEqual([]);
  expect((await begun()).filter((line) => line.includes(rehearsal?.id ?? ""))).toHaveLength(1);
  expect(lostOf(load)).toEqual(NOTHING_LOST);
  expect(Object.keys(load.byRelease).toSorted()).toEqual([first.candidate, candidate].toSorted());
  expect(await running()).toEqual(["web"]);
  expect(await findGaps(product(), id)).toEqual([]);
});

it("undoes a change whose command is not what it says, before any traffic and with the way out", async () => {
  const { result, load } = await underLoad(product(), () => deploy({ command: "touch $STORY/dropped" }));
  const { document, exitCode } = result;
  expect({ exitCode, state: document.state }).toEqual({ exitCode: 1, state: "undone" });
  expect(document.outcome).toContain('is not "expand" as declared');
  expect(document.outcome).toContain("it crashed 3 times (exit code 4)");
  expect(document.outcome).toContain("roll forward");
  expect(document.firstCandidateAt).toBeNull();
  expect(await statesOf(product(), document.id)).not.toContain("starting");
  expect((await rehearsalsOf(document.id))[0]?.output).toContain("no such column");
  expect(lostOf(load)).toEqual(NOTHING_LOST);
  expect(Object.keys(load.byRelease)).toEqual([document.stable]);
  expect(await running()).toEqual(["web"]);
  const { items } = await product().api().get<{ items: ServiceResource[] }>("/services");
  expect(items[0]?.stable?.id).toBe(document.stable);
  // The command does not run again, but what it did still stands: so does the answer.
  const plan = await product().cli("deploy", "--release", document.candidate, "--check");
  expect(plan.stdout).toContain(`start web of ${document.stable} once more, out of traffic`);
  expect(plan.stdout).not.toContain("run the release command");
});
