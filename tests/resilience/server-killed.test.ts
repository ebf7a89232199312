import { truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { changeResource, type ChangeResource, type ReleaseResource } from "@mainstay/api";
import { beforeAll, describe, expect, it } from "vitest";
import { findGaps, statesOf, timelineOf, watchUntil } from "../support/changes.ts";
import { copyHello, UNJUDGED_ROLLOUT, type Hello } from "../support/hello.ts";
import { lostOf, NOTHING_LOST, underLoad } from "../support/load.ts";
import { findProcessesOf } from "../support/process-search.ts";
import { useProduct } from "../support/use-product.ts";

/** Takes a while to be digested before each start, so that there is time to kill something meanwhile. */
const HEAVY_BYTES = 256 * 1024 ** 2;

const product = useProduct();
let hello: Hello;
let heavy: Hello;

beforeAll(async () => {
  hello = await copyHello(product().directory);
  heavy = await copyHello(product().directory, "heavy");
  await writeFile(path.join(heavy.directory, "heavy.bin"), "");
  await truncate(path.join(heavy.directory, "heavy.bin"), HEAVY_BYTES);
  for (const each of [hello, heavy]) {
    // Stops only when it is killed, so that draining takes a while.
    await each.write("mainstay.yaml", "mainstay.yaml", {
      rollout: { ...UNJUDGED_ROLLOUT, keepWarm: "1500ms" },
      env: { STUBBORN: 1 },
      web: { stopTimeout: "2s" },
    });
  }
  await ended(await request(hello));
});

async function request({ directory }: Hello): Promise<string> {
  return (await product().cliJson(changeResource, "deploy", directory, "--detach")).document.id;
}

/**
 * Kills the server as soon as the change is seen in the
 * state; answers the state it had reached when it was killed.
 */
async function killServerIn(id: string, state: string): Promise<string> {
  await watchUntil(product(), id, (change) => change.state === state);
  const pid = await product().kill("server");
  const killedAt = new Date().toISOString();
  await product().untilReady();
  expect(await product().pidOf("server")).not.toBe(pid);
  const before = (await timelineOf(product(), id)).filter((entry) => entry.at <= killedAt);
  return before.at(-1)?.to ?? "none";
}

async function ended(id: string): Promise<ChangeResource> {
  return watchUntil(product(), id, (change) => change.finishedAt !== null);
}

/** Every instance that runs is one that ought to. */
async function strayInstances(): Promise<string[]> {
  const { items } = await product().api().get<{ items: { pid: number | null }[] }>("/instances");
  const wanted = items.map((each) => each.pid);
  const running = findProcessesOf(product().dataDirectory).filter(({ command }) =>
    command.includes("traced.mjs"),
  );
  return running.filter(({ pid }) => !wanted.includes(pid)).map(({ command }) => command);
}

describe("a change whose server is killed with kill -9 under load", () => {
  it("goes on while it is prepared: in preflight, starting and gating", async () => {
    const { result: id, load } = await underLoad(product(), async () => {
      const requested = await request(heavy);
      for (const state of ["preflight", "starting", "gating"]) {
        expect(await killServerIn(requested, state)).toBe(state);
      }
      await ended(requested);
      return requested;
    });
    expect(lostOf(load)).toEqual(NOTHING_LOST);
    expect((await statesOf(product(), id)).at(-1)).toBe("succeeded");
    expect(await findGaps(product(), id)).toEqual([]);
    expect(await strayInstances()).toEqual([]);
  });

  it("goes on while it takes over: stepping, baking and draining", async () => {
    const { result: id, load } = await underLoad(product(), async () => {
      const requested = await request(hello);
      for (const state of ["stepping", "baking", "draining"]) {
        expect(await killServerIn(requested, state)).toBe(state);
      }
      await ended(requested);
      return requested;
    });
    expect(lostOf(load)).toEqual(NOTHING_LOST);
    expect(await statesOf(product(), id)).toEqual([
      "requested",
      "locked",
      "preflight",
      "starting",
      "gating",
      "stepping 0",
      // A server that comes back starts the stage anew.
      "stepping 0",
      "stepping 1",
      "stepping 2",
      "stepping 3",
      "baking",
      "draining",
      "succeeded",
    ]);
    expect(await findGaps(product(), id)).toEqual([]);
    expect(await strayInstances()).toEqual([]);
  });

  it("is still undone while it is being undone: restoring weights and draining the candidate", async () => {
    const { result: id, load } = await underLoad(product(), async () => {
      const requested = await request(hello);
      await watchUntil(product(), requested, (change) => change.state === "stepping");
      // Without the agent the weights cannot be restored: there is time to kill the server meanwhile.
      const agent = await product().pidOf("agent");
      process.kill(agent, "SIGSTOP");
      const { exitCode } = await product().cli("change", "abort", requested);
      expect(exitCode).toBe(0);
      await product().kill("server");
      process.kill(agent, "SIGCONT");
      await product().untilReady();
      expect(await killServerIn(requested, "draining-candidate")).toBe("draining-candidate");
      await ended(requested);
      return requested;
    });
    expect(lostOf(load)).toEqual(NOTHING_LOST);
    expect((await statesOf(product(), id)).slice(-3)).toEqual([
      "restoring-weights",
      "draining-candidate",
      "undone",
    ]);
    expect(await findGaps(product(), id)).toEqual([]);
    expect(await strayInstances()).toEqual([]);
  });

  it("waits its turn behind a change that is still draining, and keeps it", async () => {
    const { result: id, load } = await underLoad(product(), async () => {
      const source = { directory: hello.directory };
      const { id: candidate } = await product().api().post<ReleaseResource>("/releases", source);
      await watchUntil(product(), await request(hello), (change) => change.state === "draining");
      const { id: requested } = await product().api().post<ChangeResource>("/changes", { candidate });
      expect(await killServerIn(requested, "requested")).toBe("requested");
      await ended(requested);
      return requested;
    });
    expect(lostOf(load)).toEqual(NOTHING_LOST);
    expect((await statesOf(product(), id)).at(-1)).toBe("succeeded");
    expect(await findGaps(product(), id)).toEqual([]);
    expect(await strayInstances()).toEqual([]);
  });
});
