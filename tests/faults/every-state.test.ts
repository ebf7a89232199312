import { readFile, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { changeResource, type ChangeResource, type InstanceResource } from "@mainstay/api";
import type { LoadSummary } from "../../cli/src/demo/load/load-lines.ts";
import { beforeAll, describe, expect, it } from "vitest";
import { findGaps, statesOf, watchUntil } from "../support/changes.ts";
import { copyHello, SHORT_ROLLOUT, UNJUDGED_ROLLOUT, type Hello } from "../support/hello.ts";
import { lostOf, NOTHING_LOST, underLoad } from "../support/load.ts";
import { findProcessesOf } from "../support/process-search.ts";
import { useProduct } from "../support/use-product.ts";
import { waitUntil } from "../support/wait-until.ts";

/**
 * kill -9 of everything there is, in every state of a change: `npm run faults`. It takes about a quarter
 * of an hour, and says of each case in which state the kill hit: some last a few milliseconds only.
 */

const FORWARD = [
  ...["requested", "locked", "preflight", "migrating", "starting", "gating"],
  ...["stepping", "verifying", "baking", "draining"],
];
const BACK = ["restoring-weights", "draining-candidate"];
const ROLLING_BACK = ["restoring-instances", ...BACK];
/** How a change under way is reached, and what is awaited of it. */
const STORIES = [
  { story: "a release that takes over", states: FORWARD, file: "mainstay.yaml", isAborted: false },
  { story: "a release that is taken back", states: BACK, file: "mainstay.yaml", isAborted: true },
  { story: "a rolling one taken back", states: ROLLING_BACK, file: "rolling.yaml", isAborted: true },
];
const VICTIMS = ["server", "postgres", "proxy-0", "parent", "agent", "candidate", "stable"] as const;
type Victim = (typeof VICTIMS)[number];
/** Nothing of it has begun to run by then. */
const WITHOUT_CANDIDATE = FORWARD.slice(0, FORWARD.indexOf("starting"));
/** These answer requests: those in flight when one dies cannot be saved. */
const SERVING: readonly Victim[] = ["proxy-0", "candidate", "stable"];
/** 200 requests per second, each answered within milliseconds. */
const IN_FLIGHT_MAX = 40;
/** Takes a while to be digested, so that there is time to kill something meanwhile. */
const HEAVY_BYTES = 128 * 1024 ** 2;

const product = useProduct();
let hello: Hello;

beforeAll(async () => {
  hello = await copyHello(product().directory);
  await writeFile(path.join(hello.directory, "heavy.bin"), "");
  await truncate(path.join(hello.directory, "heavy.bin"), HEAVY_BYTES);
  // Stops only when it is killed, so that draining takes a while.
  const shape = { env: { STUBBORN: 1 }, web: { stopTimeout: "2s", instances: 2 } };
  const more = {
    release: { command: "sleep 1", compatibility: "expand" },
    verify: [{ path: "/healthz" }],
  };
  await hello.write("mainstay.yaml", "mainstay.yaml", {
    ...shape,
    more,
    rollout: { ...UNJUDGED_ROLLOUT, keepWarm: "1500ms" },
  });
  await hello.write("rolling.yaml", "mainstay.yaml", {
    ...shape,
    more,
    rollout: {
      ...{ judge: UNJUDGED_ROLLOUT.judge, keepWarm: SHORT_ROLLOUT.keepWarm },
      ...{ strategy: "rolling", rolling: { bake: "3s" } },
    },
  });
  await ended(await request("mainstay.yaml"));
});

async function request(file: string): Promise<string> {
  const args = ["deploy", hello.directory, "--file", file, "--detach"];
  return (await product().cliJson(changeResource, ...args)).document.id;
}

async function ended(id: string): Promise<ChangeResource> {
  return watchUntil(product(), id, (change) => change.finishedAt !== null);
}

async function postmasterPid(): Promise<number> {
  const file = path.join(product().dataDirectory, "postgres", "postmaster.pid");
  return Number((await readFile(file, "utf8")).split("\n")[0]);
}

async function kill(victim: Victim, change: ChangeResource): Promise<void> {
  if (victim === "candidate" || victim === "stable") {
    const { items } = await product().api().get<{ items: InstanceResource[] }>("/instances");
    const pid = items.find((each) => each.release === change[victim])?.pid;
    if (pid) process.kill(pid, "SIGKILL");
    return;
  }
  if (victim !== "postgres") return void (await product().kill(victim));
  const killed = await postmasterPid();
  process.kill(killed, "SIGKILL");
  await waitUntil("another PostgreSQL", async () => (await postmasterPid().catch(() => killed)) !== killed);
}

/** From the request to the end, with a kill as soon as the change is seen in the state, or past it. */
async function undergo(given: { state: string; states: string[]; victim: Victim; file: string }) {
  const { state, states, victim, file } = given;
  const isAborted = states !== FORWARD;
  const id = await request(file);
  const wanted = states.slice(states.indexOf(state));
  const reaching = watchUntil(product(), id, ({ state: now }) => wanted.includes(now));
  if (isAborted) {
    await watchUntil(product(), id, ({ state: now }) => now === "stepping");
    await product().api().post(`/changes/${id}/abort`, {});
  }
  const reached = await reaching;
  await kill(victim, reached);
  if (victim === "parent") await product().upAgain();
  await product().untilReady();
  return { id, hit: reached.state, end: await ended(id) };
}

/** Every instance that runs is one that ought to. */
async function strays(): Promise<string[]> {
  const { items } = await product().api().get<{ items: InstanceResource[] }>("/instances");
  const wanted = items.map((each) => each.pid);
  return findProcessesOf(product().dataDirectory)
    .filter(({ command, pid }) => command.includes("traced.mjs") && !wanted.includes(pid))
    .map(({ command }) => command);
}

function mustHaveLostNothing(victim: Victim, load: LoadSummary): void {
  if (!SERVING.includes(victim)) return expect(lostOf(load)).toEqual(NOTHING_LOST);
  const { "no-answer": unanswered = 0, reset = 0, ...others } = load.lostReasons;
  expect({ refused: load.refused, others }).toEqual({ refused: 0, others: {} });
  expect(unanswered + reset).toBeLessThanOrEqual(IN_FLIGHT_MAX);
}

describe.each(STORIES)("$story", ({ states, file, isAborted }) => {
  describe.each(states)("killed while it is %s", (state) => {
    const victims = VICTIMS.filter((each) => each !== "candidate" || !WITHOUT_CANDIDATE.includes(state));

    it.each(victims)("%s", async (victim) => {
      const act = () => undergo({ state, states, victim, file });
      // Nothing listens between the death of the parent and its next start.
      const seen =
        victim === "parent" ? { result: await act(), load: null } : await underLoad(product(), act);
      const { id, hit, end } = seen.result;
      const trail = await statesOf(product(), id);
      process.stdout.write(`${victim} killed while ${hit}: ${trail.slice(trail.indexOf(hit)).join(" → ")}\n`);
      expect(isAborted ? ["undone"] : ["succeeded", "undone"]).toContain(end.state);
      if (seen.load) mustHaveLostNothing(victim, seen.load);
      expect(await findGaps(product(), id)).toEqual([]);
      await waitUntil("no process to be left over", async () => (await strays()).length === 0);
    });
  });
});
