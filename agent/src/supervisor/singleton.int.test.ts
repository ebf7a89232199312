import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { testFleet, testGroups, workerSpec } from "../testing/fleet.ts";
import { waitFor } from "../testing/wait-for.ts";
import type { Fleet } from "./fleet.ts";

const AGENT = `singleton-${process.pid}`;
/** Says when it lives and when it ends; another one that lives at the same time is told of as well. */
const SCHEDULER = `
mkdir alive 2>/dev/null || echo twice >> story
echo "begin $1" >> story
trap 'sleep 0.3; rmdir alive; echo "end $1" >> story; exit 0' TERM
while true; do sleep 0.05; done
`;

describe("a singleton", () => {
  let directory: string;
  let fleet: Fleet;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "singleton-"));
    mkdirSync(join(directory, "logs"));
    writeFileSync(join(directory, "scheduler.sh"), SCHEDULER);
    fleet = testFleet(AGENT);
    fleet.recover([], []);
  });
  afterEach(async () => {
    await fleet.killAll();
    testGroups(AGENT).remove();
    rmSync(directory, { recursive: true });
  });

  const scheduler = (id: string) =>
    workerSpec(directory, id, {
      process: "scheduler",
      command: `/bin/sh scheduler.sh ${id}`,
      singleton: true,
    });
  const story = () => readFileSync(join(directory, "story"), "utf8").trim().split("\n");
  const told = (line: string) =>
    waitFor(line, () => {
      try {
        return story().includes(line);
      } catch {
        return false;
      }
    });

  function replace(...ids: string[]): void {
    for (const each of fleet.apply(ids.map(scheduler))) void fleet.retire(each, Promise.resolve());
  }

  it("starts only when the one before it is gone, however long that takes to end", async () => {
    replace("old");
    await told("begin old");
    replace("new");
    expect(fleet.get("new")?.observe()).toMatchObject({ state: "starting", pid: null });
    await told("begin new");
    expect(story()).toEqual(["begin old", "end old", "begin new"]);
  });

  it("goes back to the old one in the same order, also while the new one still waits", async () => {
    replace("old");
    await told("begin old");
    replace("new");
    await waitFor("the old one to be ended", () => fleet.get("old")?.observe().state === "stopping");
    replace("old");
    await waitFor(
      "the old one to run again",
      () => story().filter((line) => line === "begin old").length === 2,
    );
    replace("new");
    await told("begin new");
    expect(story()).toEqual(["begin old", "end old", "begin old", "end old", "begin new"]);
  });

  it("never runs twice even when it is asked for twice", async () => {
    replace("a", "b");
    await told("begin a");
    expect(fleet.get("b")?.observe().pid).toBeNull();
    replace("b");
    await told("begin b");
    expect(story()).toEqual(["begin a", "end a", "begin b"]);
  });

  it("waits for what an earlier agent left behind, whatever that is", async () => {
    replace("old");
    await told("begin old");
    const facts = fleet.facts();
    const next = testFleet(AGENT);
    const [stray] = next.recover([scheduler("new")], facts);
    expect(next.get("new")?.observe().pid).toBeNull();
    if (stray) await next.retireStray(stray, Promise.resolve());
    await told("begin new");
    await next.killAll();
    expect(story()).toEqual(["begin old", "end old", "begin new"]);
  });
});
