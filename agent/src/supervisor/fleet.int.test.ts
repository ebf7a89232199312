import type { InstanceSpec } from "@mainstay/api";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLog } from "../system/log.ts";
import { isAlive, readProcess } from "../system/process-table.ts";
import { testGroups, testWays } from "../testing/fleet.ts";
import { waitFor } from "../testing/wait-for.ts";
import { createFleet, type Fleet } from "./fleet.ts";
import { createPorts } from "./ports.ts";

const AGENT = `agent-${process.pid}`;

describe("a fleet that takes up what an earlier agent left", () => {
  let directory: string;
  let fleet: Fleet;
  let left: ChildProcess[];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "fleet-"));
    left = [];
    fleet = createFleet({
      agentId: AGENT,
      baseEnvironment: { PATH: process.env["PATH"] ?? "" },
      ports: createPorts({
        range: { first: 21_000, last: 21_099 },
        ephemeral: { first: 32_768, last: 60_999 },
        isFree: () => true,
        start: 0,
      }),
      ways: testWays(AGENT, testGroups(AGENT)),
      log: createLog("test", () => {}),
      onChange: () => {},
      onEvent: () => {},
    });
  });
  afterEach(async () => {
    await fleet.killAll();
    testGroups(AGENT).remove();
    for (const each of left) each.kill("SIGKILL");
    rmSync(directory, { recursive: true });
  });

  function spec(id: string): InstanceSpec {
    return {
      id,
      service: "shop",
      environment: "production",
      process: "web",
      release: "rel_1",
      directory,
      command: "sleep 600",
      env: {},
      port: "auto",
      health: { path: "/", intervalMs: 1000, timeoutMs: 1000 },
      stopTimeoutMs: 1000,
      logDirectory: join(directory, id),
    };
  }

  /** A process as an agent of that name would have started it. */
  async function leave(id: string, agent: string): Promise<number> {
    const env = { PATH: process.env["PATH"], MAINSTAY_INSTANCE: id, MAINSTAY_AGENT: agent, PORT: "21007" };
    const child = spawn("sleep", ["600"], { detached: true, stdio: "ignore", env });
    left.push(child);
    await once(child, "spawn");
    return child.pid ?? 0;
  }

  function facts(id: string, pid: number, changes: { startTicks?: number } = {}) {
    const startTicks = readProcess(pid)?.startTicks ?? 0;
    const startedAt = new Date().toISOString();
    return { id, pid, startTicks, port: 21_007, startedAt, crashes: 2, isReady: true, ...changes };
  }

  it("keeps a process that it knows, ready as it was", async () => {
    const pid = await leave("a", AGENT);
    expect(fleet.recover([spec("a")], [facts("a", pid)])).toEqual([]);
    expect(fleet.get("a")?.observe()).toMatchObject({ pid, port: 21_007, state: "ready", crashes: 2 });
  });

  it("knows a process by its marks when nothing was saved of it", async () => {
    const pid = await leave("a", AGENT);
    fleet.recover([spec("a")], []);
    expect(fleet.get("a")?.observe()).toMatchObject({ pid, port: 21_007, state: "starting" });
  });

  it("does not touch the processes of another agent", async () => {
    const pid = await leave("a", "somebody-else");
    expect(fleet.recover([], [])).toEqual([]);
    await fleet.stopAll();
    expect(isAlive(pid)).toBe(true);
  });

  it("starts anew what has another start time than the one it knows: the number was given away", async () => {
    const pid = await leave("b", "somebody-else");
    fleet.recover([spec("a")], [facts("a", pid, { startTicks: 1 })]);
    const running = await waitFor("a new process", () => fleet.get("a")?.observe().pid);
    expect(running).not.toBe(pid);
    await fleet.stopAll();
    expect(isAlive(pid)).toBe(true);
  });

  it("hands back what nobody wants any more, and ends it when it is drained", async () => {
    const pid = await leave("old", AGENT);
    const [stray] = fleet.recover([], [facts("old", pid)]);
    expect(stray?.pid).toBe(pid);
    expect(fleet.draining()).toEqual(["old"]);
    expect(isAlive(pid)).toBe(true);
    if (stray) await fleet.retireStray(stray, Promise.resolve());
    expect([isAlive(pid), fleet.draining()]).toEqual([false, []]);
  });

  it("takes an instance back that is wanted again before it was stopped", async () => {
    fleet.recover([spec("a")], []);
    const pid = await waitFor("the process", () => fleet.get("a")?.observe().pid);
    const [leaving] = fleet.apply([]);
    expect(leaving?.observe().state).toBe("draining");
    const drained = Promise.withResolvers<void>();
    const retired = leaving && fleet.retire(leaving, drained.promise);
    expect(fleet.apply([spec("a")])).toEqual([]);
    drained.resolve();
    await retired;
    expect(fleet.get("a")?.observe()).toMatchObject({ pid, state: "starting" });
  });

  it("starts an instance again that is wanted again while it is being stopped", async () => {
    const stubborn = { ...spec("a"), command: `sh -c "trap '' TERM; sleep 600"`, stopTimeoutMs: 300 };
    fleet.recover([stubborn], []);
    const pid = await waitFor("the process", () => fleet.get("a")?.observe().pid);
    const [leaving] = fleet.apply([]);
    const retired = leaving && fleet.retire(leaving, Promise.resolve());
    await waitFor("the stop to begin", () => leaving?.observe().state === "stopping");
    fleet.apply([spec("a")]);
    await retired;
    const next = await waitFor("the next process", () => fleet.get("a")?.observe().pid);
    expect(next).not.toBe(pid);
  });
});
