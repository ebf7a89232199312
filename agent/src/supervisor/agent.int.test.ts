import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DesiredState } from "@mainstay/api";
import { isAlive, listProcesses } from "../system/process-table.ts";
import { startLoad } from "../testing/load.ts";
import { sampleInstance, sampleRouting, startPlatform, type Platform } from "../testing/platform.ts";
import { waitFor } from "../testing/wait-for.ts";

describe("the agent", () => {
  let platform: Platform;
  beforeAll(async () => void (platform = await startPlatform()));
  afterAll(async () => void (await platform.stop()));

  const put = (content: Partial<DesiredState>) => platform.put(content);
  const sample: typeof sampleInstance extends (platform: Platform, ...rest: infer Rest) => infer Result
    ? (...rest: Rest) => Result
    : never = (...rest) => sampleInstance(platform, ...rest);

  /** Clears everything, so that tests do not meet each other's instances. */
  async function clear(): Promise<void> {
    await put({});
    await waitFor("every instance to be gone", async () => {
      const { instances } = await platform.client.observed();
      return instances.every((each) => each.state === "exited");
    });
  }

  it("starts an instance, probes it and routes to it", async () => {
    await put({ instances: [sample("a")], services: [sampleRouting()] });
    const ready = await platform.waitForState("a", "ready");
    expect(ready.passes).toBeGreaterThanOrEqual(3);
    expect(ready.lastProbeError).toBeNull();
    const answer = await fetch(`${platform.url}/hello`);
    expect([answer.status, await answer.text()]).toEqual([200, "GET /hello"]);
    // Usage is read at most once a second: first perhaps that of a process that was only just made.
    const observed = await waitFor("the memory of a process that runs", async () => {
      const state = await platform.client.observed();
      return (state.instances[0]?.memoryBytes ?? 0) > 1_000_000 && state;
    });
    expect(observed.proxies).toMatchObject([{ worker: 0, generation: observed.generation, restarts: 0 }]);
  });

  it("tells figures of its machine, and of each instance with the arm it belongs to", async () => {
    const { families } = await platform.client.metrics();
    const samplesOf = (name: string) => families.find((each) => each.name === name)?.samples ?? [];
    const labels = {
      ...{ environment: "production", service: "shop", process: "web", release: "rel_1", instance: "a" },
      arm: "stable",
    };
    expect(samplesOf("mainstay_instance_memory_bytes")).toEqual([{ labels, value: expect.any(Number) }]);
    expect(samplesOf("mainstay_instance_open_files")[0]?.value).toBeGreaterThan(3);
    expect(samplesOf("mainstay_host_load1")).toHaveLength(1);
  });

  it("gives a process its own variables, the specified ones and nothing else of the agent's", async () => {
    const environment = (await (await fetch(`${platform.url}/env`)).json()) as Record<string, string>;
    expect(environment).toMatchObject({
      MAINSTAY_SERVICE: "shop",
      MAINSTAY_RELEASE: "rel_1",
      MAINSTAY_INSTANCE: "a",
    });
    const foreign = Object.keys(environment).filter((name) => !name.startsWith("MAINSTAY_"));
    // PWD is the shell's own doing.
    expect(foreign.filter((name) => name !== "PWD").toSorted()).toEqual(["HOME", "PATH", "PORT"]);
  });

  it("shows what an instance wrote, and goes on showing it", async () => {
    const stop = new AbortController();
    const lines: string[] = [];
    for await (const line of platform.client.logs("a", { tail: 10, follow: true, signal: stop.signal })) {
      lines.push(line);
      stop.abort();
    }
    expect(lines).toEqual(["listening"]);
    await expect(
      platform.client.logs("nobody", { tail: 1, follow: false })[Symbol.asyncIterator]().next(),
    ).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("leaves what it has applied when it is told an older generation, and says so", async () => {
    const before = await platform.client.observed();
    const after = await platform.client.putDesired({
      generation: 0,
      leaseTtlMs: 1000,
      instances: [],
      services: [],
    });
    expect([after.generation, after.instances.length]).toEqual([before.generation, 1]);
    await expect(platform.client.putDesired({ generation: 9 } as DesiredState)).rejects.toMatchObject({
      code: "AGENT_REFUSED",
    });
  });

  it("drains an instance before it is told to stop: a slow request still gets its answer", async () => {
    const slow = fetch(`${platform.url}/slow?ms=600`);
    await waitFor(
      "the request to be in flight",
      async () => ((await platform.instance("a"))?.inflight ?? 0) > 0,
    );
    const pid = (await platform.instance("a"))?.pid ?? 0;
    await put({
      instances: [sample("b", { release: "rel_2" })],
      services: [sampleRouting({ stable: { release: "rel_2", instances: ["b"] } })],
    });
    expect((await platform.instance("a"))?.state).toBe("draining");
    const output = () => readFileSync(join(platform.directory, "logs", "a", "stdout.log"), "utf8");
    expect(output()).not.toContain("SIGTERM");
    expect([(await slow).status, await (await slow).text()]).toEqual([200, "GET /slow?ms=600"]);
    await platform.waitForState("a", "exited");
    expect(output()).toContain("SIGTERM");
    expect(isAlive(pid)).toBe(false);
    expect((await platform.instance("a"))?.lastExit).toMatchObject({ code: 0 });
    expect((await platform.client.counters()).lost).toEqual({});
  });

  it("cuts off what is not drained in time, and counts it as lost", async () => {
    await platform.waitForState("b", "ready");
    const stuck = fetch(`${platform.url}/slow?ms=60000`, { method: "POST", body: "x" });
    await waitFor(
      "the request to be in flight",
      async () => ((await platform.instance("b"))?.inflight ?? 0) > 0,
    );
    const services = [sampleRouting({ stable: { release: "rel_2", instances: ["b"] }, drainTimeoutMs: 100 })];
    await put({ instances: [sample("b", { release: "rel_2", stopTimeoutMs: 100 })], services });
    await put({ services: [{ ...services[0]!, stable: null }] });
    const answer = await stuck;
    expect([answer.status, answer.headers.get("proxy-status")]).toEqual([
      502,
      "mainstay; error=connection_terminated",
    ]);
    expect((await platform.client.counters()).lost).toEqual({ drain_cut: 1 });
    await clear();
  });

  it("starts an instance that crashes again, later each time, and tells how often", async () => {
    await put({ instances: [sample("crashing", { command: "node -e 'process.exit(7)'" })] });
    const crashed = await waitFor("the second crash", async () => {
      const instance = await platform.instance("crashing");
      return (instance?.crashes ?? 0) >= 2 ? instance : null;
    });
    expect(["backing-off", "starting"]).toContain(crashed.state);
    expect(crashed.lastExit).toMatchObject({ code: 7, signal: null });
    await clear();
  });

  it("says why an instance cannot be started at all", async () => {
    await put({ instances: [sample("nowhere", { directory: join(platform.directory, "none") })] });
    const instance = await platform.waitForState("nowhere", "backing-off");
    expect(instance.lastProbeError).toContain("cannot start");
    await clear();
  });

  it("never calls an instance ready that does not answer 200", async () => {
    await put({ instances: [sample("ill", { env: { HEALTH: "503" } })], services: [] });
    const instance = await waitFor("a refusal", async () => {
      const ill = await platform.instance("ill");
      return ill?.lastProbeError?.includes("503") ? ill : null;
    });
    expect([instance.state, instance.passes]).toEqual(["starting", 0]);
    await clear();
  });

  it("does not count the answers of a stranger on the instance's port", async () => {
    const squatter = createServer((socket) => {
      socket.on("error", () => {});
      socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    }).listen(0, "127.0.0.1");
    await once(squatter, "listening");
    const address = squatter.address();
    const port = typeof address === "object" && address ? address.port : 0;
    await put({ instances: [sample("late", { port, command: "sleep 60" })] });
    const instance = await waitFor("the stranger to be noticed", async () => {
      const late = await platform.instance("late");
      return late?.lastProbeError?.includes("not this instance's") ? late : null;
    });
    expect([instance.state, instance.passes]).toEqual(["starting", 0]);
    squatter.close();
    await clear();
  });

  it("calls a process without a probe ready once it has lived for a while", async () => {
    await put({ instances: [sample("worker", { command: "sleep 60", port: null, health: null })] });
    expect((await platform.instance("worker"))?.state).toBe("starting");
    expect((await platform.waitForState("worker", "ready")).port).toBeNull();
    await clear();
  });

  it("leaves no process of the tree, however it hides", async () => {
    const marker = `tree${process.pid}`;
    const grandchild = `setsid sh -c "trap '' TERM; sleep 600 & wait; ${marker}"`;
    const command = `sh -c "trap '' TERM; ${grandchild.replaceAll('"', '\\"')} & sleep 601 & wait"`;
    await put({ instances: [sample("tree", { command, port: null, health: null, stopTimeoutMs: 200 })] });
    const pid = await waitFor("the tree to grow", async () => {
      const leader = (await platform.instance("tree"))?.pid;
      return leader && descendants(leader, marker).length >= 3 ? leader : null;
    });
    const tree = descendants(pid, marker);
    await clear();
    expect(tree.filter((each) => isAlive(each))).toEqual([]);
  });

  function descendants(session: number, marker: string): number[] {
    return listProcesses()
      .filter((each) => each.session === session || commandOf(each.pid).includes(marker))
      .map((each) => each.pid);
  }

  function commandOf(pid: number): string {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8");
    } catch {
      return "";
    }
  }

  it("falls back to the proven weights when the server is silent, and writes that down first", async () => {
    const instances = [sample("s"), sample("c", { release: "rel_2" })];
    const routing = sampleRouting({
      change: "chg_1",
      stable: { release: "rel_1", instances: ["s"] },
      candidate: { release: "rel_2", instances: ["c"] },
      weight: 10_000,
      proven: 0,
    });
    await put({ instances, services: [routing] });
    await platform.waitForState("s", "ready");
    await platform.waitForState("c", "ready");
    const released = async () => (await fetch(platform.url)).headers.get("x-release");
    expect(await released()).toBe("rel_2");

    await put({ instances, services: [routing], leaseTtlMs: 300 });
    const observed = await waitFor("the lease to expire", async () => {
      const state = await platform.client.observed();
      return state.leaseExpired ? state : null;
    });
    expect(observed.services).toEqual([{ service: "shop", environment: "production", weight: 0 }]);
    await waitFor("the stable release to serve", async () => (await released()) === "rel_1");
    const entries = await platform.client.journal(0);
    expect(entries).toMatchObject([
      {
        seq: 1,
        act: "lease-expired",
        service: "shop",
        change: "chg_1",
        detail: { weight: 10_000, proven: 0 },
      },
    ]);
    expect(await platform.client.journal(1)).toEqual([]);
    const journal = join(platform.directory, "data", "agent", "journal.jsonl");
    expect(readFileSync(journal, "utf8").trim()).toBe(JSON.stringify(entries[0]));

    await put({ instances, services: [routing] });
    expect((await platform.client.observed()).leaseExpired).toBe(false);
    expect(await released()).toBe("rel_2");
  });

  it("that is killed finds its instances again, and traffic never notices", async () => {
    const before = (await platform.client.observed()).instances;
    const load = startLoad({ url: platform.url, users: 5, keepAlive: true });
    await load.more(50);
    process.kill(await platform.pidOf("agent"), "SIGKILL");
    const after = await waitFor("the agent to be back", async () => {
      const state = await platform.client.observed().catch(() => null);
      return state?.instances.every((each) => each.state === "ready" && each.passes > 0) ? state : null;
    });
    await load.more(50);
    expect((await load.stop()).failures).toEqual([]);
    const pids = (instances: typeof before) =>
      instances.map(({ id, pid, port, crashes }) => ({ id, pid, port, crashes }));
    expect(pids(after.instances)).toEqual(pids(before));
  });

  it("notices the end of an instance that it took up from its predecessor", async () => {
    const { pid = null } = (await platform.instance("c")) ?? {};
    process.kill(pid ?? 0, "SIGKILL");
    const restarted = await waitFor("a new process", async () => {
      const instance = await platform.instance("c");
      return instance?.state === "ready" && instance.pid !== pid ? instance : null;
    });
    expect(restarted.crashes).toBe(1);
    await clear();
  });

  it("ends a process that no saved state knows, but that it had started", async () => {
    const id = readFileSync(join(platform.directory, "data", "agent", "id"), "utf8").trim();
    const env = { ...process.env, MAINSTAY_AGENT: id, MAINSTAY_INSTANCE: "forgotten" };
    const stray = spawn("sleep", ["600"], { detached: true, stdio: "ignore", env });
    const exit = once(stray, "exit");
    process.kill(await platform.pidOf("agent"), "SIGKILL");
    expect(await exit).toEqual([null, "SIGTERM"]);
  });

  it("streams what happens", async () => {
    await waitFor("the agent to be back", () => platform.client.observed().catch(() => null));
    const stop = new AbortController();
    const told: string[] = [];
    const listening = (async () => {
      for await (const { type, subject } of platform.client.events(stop.signal))
        told.push(`${type} ${subject}`);
    })();
    await waitFor("the stream to flow", async () => {
      await put({ instances: [sample(`probe${Math.random()}`, { command: "true", health: null })] });
      return told.length > 0;
    });
    await put({ instances: [sample("told")] });
    await platform.waitForState("told", "ready");
    await clear();
    await waitFor("the exit to be told", () => told.includes("instance.exited told"));
    stop.abort();
    await listening;
    expect(told.filter((each) => each.endsWith(" told"))).toEqual([
      "instance.started told",
      "instance.ready told",
      "instance.exited told",
    ]);
  });

  it("keeps its files to itself", () => {
    for (const name of [
      "agent/desired.json",
      "agent/processes.json",
      "agent/routing.json",
      "keys/cookie.key",
    ]) {
      expect([name, statSync(join(platform.directory, "data", name)).mode & 0o777]).toEqual([name, 0o600]);
    }
    expect(statSync(join(platform.directory, "run", "agent.sock")).mode & 0o777).toBe(0o600);
  });
});
