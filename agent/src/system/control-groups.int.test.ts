import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { testFleet, testGroups, workerSpec } from "../testing/fleet.ts";
import { waitFor } from "../testing/wait-for.ts";
import { createControlGroups } from "./control-groups.ts";
import { isAlive } from "./process-table.ts";

const MEMORY = 64 * 1024 ** 2;
/** Takes memory without end, in steps. */
const HUNGRY = `${process.execPath} -e "const kept=[];for(;;)kept.push(Buffer.alloc(8e6,1))"`;
const NAME = `groups-${process.pid}`;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "groups-"));
});
afterEach(() => {
  testGroups(NAME).remove();
  rmSync(directory, { recursive: true });
});

describe.runIf(testGroups(NAME).limits.by !== "none")("limits on this machine", () => {
  it("kill what exceeds its memory, and the exit says so", async () => {
    const fleet = testFleet(NAME);
    fleet.recover([], []);
    fleet.apply([
      workerSpec(directory, "a", { command: HUNGRY, resources: { memoryBytes: MEMORY, cpu: 0.5 } }),
    ]);
    const exit = await waitFor("it to be killed", () => fleet.get("a")?.observe().lastExit);
    expect(exit).toMatchObject({ cause: "memory" });
    await fleet.killAll();
  });

  it("do not outlive the agent that was killed", () => {
    const [file = ""] = testGroups(NAME).open("left", null).joinFiles;
    expect(existsSync(file)).toBe(true);
    testGroups(NAME).sweep();
    expect(existsSync(file)).toBe(false);
  });

  it("reach what has left the session and wiped its environment", async () => {
    const fleet = testFleet(NAME);
    fleet.recover([], []);
    const escaped = "env -i setsid /bin/sh -c 'echo $$ > escaped; exec sleep 613' & wait";
    fleet.apply([workerSpec(directory, "a", { command: `/bin/sh -c "${escaped.replaceAll("$", "\\$")}"` })]);
    const pid = await waitFor("the one that escapes", () => {
      const file = join(directory, "escaped");
      return existsSync(file) ? Number(readFileSync(file, "utf8")) : null;
    });
    const [leaving] = fleet.apply([]);
    if (leaving) await fleet.retire(leaving, Promise.resolve());
    expect(isAlive(pid)).toBe(false);
  });
});

describe("control groups", () => {
  const layOut = (files: Record<string, string>) => {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(directory, name, ".."), { recursive: true });
      writeFileSync(join(directory, name), text);
    }
  };
  const limits = { memoryBytes: MEMORY, cpu: 0.5 };

  it("of version 2 are used where their controllers can be switched on", () => {
    const group = "mainstay-x/ins_1";
    layOut({
      "cgroup.controllers": "cpuset cpu io memory pids\n",
      "cgroup.subtree_control": "",
      "mainstay-x/cgroup.subtree_control": "",
      [`${group}/memory.max`]: "max",
      [`${group}/memory.swap.max`]: "",
      [`${group}/memory.oom.group`]: "0",
      [`${group}/cpu.max`]: "max 100000",
      [`${group}/memory.events`]: "low 0\noom 3\noom_kill 2\n",
      [`${group}/cgroup.kill`]: "",
    });
    const groups = createControlGroups({ mount: directory, ownGroups: "0::/\n", name: "mainstay-x" });
    expect(groups.limits).toEqual({ by: "cgroup-v2", reason: null });
    const opened = groups.open("ins_1", limits);
    const read = (name: string) => readFileSync(join(directory, group, name), "utf8");
    expect([read("memory.max"), read("cpu.max"), read("memory.swap.max"), read("memory.oom.group")]).toEqual([
      ...[String(MEMORY), "50000 100000", "0", "1"],
    ]);
    expect(opened.joinFiles).toEqual([join(directory, group, "cgroup.procs")]);
    expect([opened.memoryKills(), opened.kill()]).toEqual([2, true]);
  });

  it("that nobody may write are told of with the reason, and limit nothing", () => {
    const groups = createControlGroups({ mount: join(directory, "none"), ownGroups: "", name: "mainstay-x" });
    expect(groups.limits).toMatchObject({ by: "none", reason: expect.stringContaining(directory) });
    const opened = groups.open("ins_1", limits);
    expect([opened.joinFiles, opened.pids(), opened.memoryKills(), opened.kill()]).toEqual([
      [],
      [],
      0,
      false,
    ]);
  });
});
