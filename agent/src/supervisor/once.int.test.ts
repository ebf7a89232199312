import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isAlive } from "../system/process-table.ts";
import { testFleet, testGroups, workerSpec } from "../testing/fleet.ts";
import { waitFor } from "../testing/wait-for.ts";
import type { Fleet } from "./fleet.ts";

let agents = 0;

describe("a command that runs once", () => {
  /** Each test has an agent of its own: what one is still ending is not to be mistaken for the next one's. */
  let agent: string;
  let directory: string;
  let fleet: Fleet;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "once-"));
    agent = `once-${process.pid}-${++agents}`;
    fleet = testFleet(agent);
    fleet.recover([], []);
  });
  afterEach(async () => {
    await fleet.killAll();
    testGroups(agent).remove();
    rmSync(directory, { recursive: true });
  });

  const command = (text: string, timeoutMs = 60_000) =>
    workerSpec(directory, "task", {
      process: "release",
      command: text,
      once: { timeoutMs },
      stopTimeoutMs: 200,
    });
  const exit = (of = fleet) =>
    waitFor("the command to end", () => {
      const seen = of.get("task")?.observe();
      return seen?.state === "exited" ? seen.lastExit : null;
    });
  const output = () => readFileSync(join(directory, "logs", "task", "stdout.log"), "utf8");

  it.each([0, 3])("tells its exit code %i, keeps its output, and does not run again", async (code) => {
    const spec = command(`echo ran; exit ${code}`);
    fleet.apply([spec]);
    expect(await exit()).toMatchObject({ code });
    fleet.apply([spec]);
    fleet.apply([spec]);
    expect(fleet.get("task")?.observe()).toMatchObject({ state: "exited", crashes: 0 });
    expect(output()).toBe("ran\n");
    fleet.apply([]);
    expect(fleet.get("task")).toBeUndefined();
  });

  it("finds on standard input the file it was given, to its end, and otherwise nothing", async () => {
    const input = join(directory, "input");
    writeFileSync(input, Buffer.from([0, 10, 13, 255, 0]));
    fleet.apply([{ ...command("od -An -tu1"), once: { timeoutMs: 60_000, input } }]);
    expect(await exit()).toMatchObject({ code: 0 });
    expect(output().trim().split(/ +/)).toEqual(["0", "10", "13", "255", "0"]);
    fleet.apply([]);
    rmSync(join(directory, "logs"), { recursive: true });
    fleet.apply([command("wc -c")]);
    await exit();
    expect(output().trim()).toBe("0");
  });

  it("does not run when the file it was given is not there", async () => {
    const input = join(directory, "missing");
    fleet.apply([{ ...command("cat"), once: { timeoutMs: 60_000, input } }]);
    expect(await exit()).toMatchObject({ code: 127 });
  });

  it("is ended with everything it started when its time is over", async () => {
    fleet.apply([command("sleep 611 & echo $!; wait", 300)]);
    expect(await exit()).toMatchObject({ cause: "timeout" });
    expect(isAlive(Number(output()))).toBe(false);
  });

  it("goes on while the agent is replaced, and its exit code reaches the next one", async () => {
    const spec = command("echo ran; while [ ! -e go ]; do sleep 0.05; done; exit 4");
    fleet.apply([spec]);
    await waitFor("the command to run", () => fleet.facts().length > 0);
    const next = testFleet(agent);
    next.recover([spec], fleet.facts());
    expect(next.get("task")?.observe().pid).toBe(fleet.get("task")?.observe().pid);
    writeFileSync(join(directory, "go"), "");
    expect(await exit(next)).toMatchObject({ code: 4 });
    expect(output()).toBe("ran\n");
  });

  it("that ended while no agent was there is not run again, and its exit code is still known", async () => {
    const spec = command("echo ran; exit 5");
    fleet.apply([spec]);
    await exit();
    const next = testFleet(agent);
    next.recover([spec], []);
    expect(await exit(next)).toMatchObject({ code: 5 });
    expect(output()).toBe("ran\n");
  });

  it("that left no trace of how it ended is told as lost, not run again", async () => {
    const spec = command("echo ran; sleep 612");
    fleet.apply([spec]);
    const [facts] = await waitFor("the command to run", () =>
      fleet.facts().length > 0 ? fleet.facts() : null,
    );
    await fleet.killAll();
    const next = testFleet(agent);
    next.recover([spec], facts ? [facts] : []);
    expect(await exit(next)).toMatchObject({ code: null, cause: "lost" });
  });
});
