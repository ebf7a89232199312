import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { isAlive } from "../system/process-table.ts";
import { startLoad } from "../testing/load.ts";
import {
  launchParent,
  sampleInstance,
  sampleRouting,
  startPlatform,
  type Platform,
} from "../testing/platform.ts";
import { TEST_LIMITS } from "../testing/worker.ts";
import { waitFor } from "../testing/wait-for.ts";

/** Each has at most one request under way. */
const USERS = 10;

describe("the parent", () => {
  let platform: Platform;
  afterEach(async () => void (await platform.stop()));

  /** A platform with one ready instance; returns the instance's process. */
  async function startServing(workers = 1): Promise<number> {
    platform = await startPlatform({ workers });
    await platform.put({ instances: [sampleInstance(platform, "a")], services: [sampleRouting()] });
    return (await platform.waitForState("a", "ready")).pid ?? 0;
  }

  async function childPids(): Promise<number[]> {
    return (await platform.status()).children.flatMap((each) => each.pid ?? []);
  }

  it("ends everything in order when it is told to, and leaves no process behind", async () => {
    const instance = await startServing(2);
    const children = await childPids();
    expect(children).toHaveLength(3);
    const slow = fetch(`${platform.url}/slow?ms=300`);
    await waitFor(
      "the request to be in flight",
      async () => ((await platform.instance("a"))?.inflight ?? 0) > 0,
    );
    platform.parent.kill("SIGTERM");
    expect((await slow).status).toBe(200);
    expect(await once(platform.parent, "exit")).toEqual([0, null]);
    expect([instance, ...children].filter((pid) => isAlive(pid))).toEqual([]);
  });

  it("ends the instances even if the agent is down just then", async () => {
    const instance = await startServing();
    process.kill(await platform.pidOf("agent"), "SIGKILL");
    platform.parent.kill("SIGTERM");
    expect(await once(platform.parent, "exit")).toEqual([0, null]);
    expect(isAlive(instance)).toBe(false);
  });

  it("kills everything at the second signal", async () => {
    platform = await startPlatform();
    const stubborn = sampleInstance(platform, "a", {
      command: `sh -c "trap '' TERM; sleep 600"`,
      port: null,
      health: null,
      stopTimeoutMs: 60_000,
    });
    await platform.put({ instances: [stubborn] });
    const instance = (await waitFor("the process", async () => (await platform.instance("a"))?.pid)) ?? 0;
    platform.parent.kill("SIGTERM");
    await waitFor("the agent to be stopping", () =>
      platform.client.observed().then(
        () => false,
        () => true,
      ),
    );
    platform.parent.kill("SIGTERM");
    expect(await once(platform.parent, "exit")).toEqual([1, null]);
    expect(isAlive(instance)).toBe(false);
  });

  it("brings a killed worker back on the same socket; what was in flight is lost, and counted", async () => {
    await startServing();
    const load = startLoad({ url: platform.url, users: USERS, keepAlive: false });
    await load.more(50);
    const pending = Array.from({ length: 3 }, () =>
      fetch(`${platform.url}/slow?ms=60000`).catch(() => "cut"),
    );
    await waitFor(
      "the slow requests to be in flight",
      async () => ((await platform.instance("a"))?.inflight ?? 0) >= 3,
    );
    process.kill(await platform.pidOf("proxy-0"), "SIGKILL");
    expect(await Promise.all(pending)).toEqual(["cut", "cut", "cut"]);
    await load.more(50);
    const { requests, failures } = await load.stop();
    const counters = await waitFor("the loss to be counted", async () => {
      const now = await platform.client.counters();
      return now.lost["worker_killed"] ? now : null;
    });
    // Counted to within one turn of the worker's event loop: what it answered
    // in its last one counts as lost, what it had not read yet is not counted.
    expect(counters.lost["worker_killed"]).toBeGreaterThanOrEqual(3);
    expect(counters.lost["worker_killed"]).toBeLessThanOrEqual(3 + USERS);
    expect(failures.length).toBeLessThanOrEqual(USERS);
    const served = counters.requests.reduce((sum, each) => sum + (each.code === "2xx" ? each.count : 0), 0);
    expect(served).toBeGreaterThan(0);
    expect(served).toBeLessThanOrEqual(requests);
    expect((await platform.status()).children).toMatchObject([
      { name: "proxy-0", restarts: 1 },
      { name: "agent", restarts: 0 },
    ]);
    expect((await platform.client.observed()).proxies).toMatchObject([{ worker: 0, restarts: 1 }]);
  });

  it("replaces a worker that is told to end while it still serves, and counts with both", async () => {
    await startServing();
    const leaver = await platform.pidOf("proxy-0");
    const slow = fetch(`${platform.url}/slow?ms=4000`);
    const inflight = async () => (await platform.instance("a"))?.inflight ?? 0;
    await waitFor("the slow request to be in flight", async () => (await inflight()) > 0);
    const load = startLoad({ url: platform.url, users: USERS, keepAlive: true });
    await load.more(50);
    process.kill(leaver, "SIGTERM");
    const successor = await waitFor("another worker", async () => {
      const { pid } = (await platform.client.observed()).proxies[0] ?? {};
      return pid && pid !== leaver ? pid : null;
    });
    expect(await platform.pidOf("proxy-0")).toBe(successor);
    expect(isAlive(leaver)).toBe(true);
    expect(await inflight()).toBeGreaterThan(0);
    await load.more(50);
    expect((await slow).status).toBe(200);
    const { requests, failures } = await load.stop();
    expect(failures).toEqual([]);
    await waitFor("the leaver to be gone", () => !isAlive(leaver));
    const counted = async () => {
      const counters = await platform.client.counters();
      expect(counters.lost).toEqual({});
      return counters.requests.reduce((sum, each) => sum + each.count, 0);
    };
    await waitFor("every request to be counted", async () => (await counted()) === requests + 1);
  });

  it("ends a worker that is leaving with everything else", async () => {
    await startServing();
    const leaver = await platform.pidOf("proxy-0");
    const slow = fetch(`${platform.url}/slow?ms=4000`);
    const isBusy = async () => ((await platform.instance("a"))?.inflight ?? 0) > 0;
    await waitFor("the slow request to be in flight", isBusy);
    process.kill(leaver, "SIGTERM");
    await waitFor("another worker", async () => (await platform.pidOf("proxy-0")) !== leaver);
    platform.parent.kill("SIGTERM");
    expect((await slow).status).toBe(200);
    expect(await once(platform.parent, "exit")).toEqual([0, null]);
    expect(isAlive(leaver)).toBe(false);
  });

  it("brings a killed worker back with the last table even if the agent does not answer", async () => {
    await startServing();
    const agent = await platform.pidOf("agent");
    const worker = await platform.pidOf("proxy-0");
    process.kill(agent, "SIGSTOP");
    process.kill(worker, "SIGKILL");
    const again = await waitFor("an answer", () => fetch(platform.url).catch(() => null));
    expect([again.status, again.headers.get("x-release")]).toEqual([200, "rel_1"]);
    expect(await platform.pidOf("proxy-0")).not.toBe(worker);
    process.kill(agent, "SIGCONT");
  });

  it("that is killed takes its children along but no instance, and its successor takes them up", async () => {
    const instance = await startServing();
    const children = await childPids();
    platform.parent.kill("SIGKILL");
    await waitFor("the children to be gone", () => children.every((pid) => !isAlive(pid)));
    expect(isAlive(instance)).toBe(true);
    await platform.again();
    expect((await platform.waitForState("a", "ready")).pid).toBe(instance);
    expect((await fetch(platform.url)).status).toBe(200);
    await platform.stop();
    expect(isAlive(instance)).toBe(false);
  });

  it("refuses a directory and an address that another one uses, and says which", async () => {
    platform = await startPlatform();
    const logFile = join(platform.directory, "second.log");
    const options = { dataDirectory: join(platform.directory, "other"), server: null };
    const taken = { host: "127.0.0.1", port: platform.port, workers: 1 };
    const proxy = { ...taken, limits: TEST_LIMITS, trustedProxies: [] };
    const second = launchParent(
      { ...options, runtimeDirectory: join(platform.directory, "run"), proxy },
      logFile,
    );
    expect(await once(second, "exit")).toEqual([2, null]);
    const third = launchParent(
      { ...options, runtimeDirectory: join(platform.directory, "run3"), proxy },
      logFile,
    );
    expect(await once(third, "exit")).toEqual([2, null]);
    const log = readFileSync(logFile, "utf8");
    expect(log).toContain('"code":"ALREADY_RUNNING"');
    expect(log).toContain(`"code":"ADDRESS_IN_USE","address":"127.0.0.1:${platform.port}"`);
    expect((await platform.client.observed()).instances).toEqual([]);
  });

  it("starts a server that keeps dying again, later each time, and reports it", async () => {
    platform = await startPlatform({ server: { command: ["false"], env: {} } });
    await waitFor("three restarts", async () => {
      const server = (await platform.status()).children.find((each) => each.name === "server");
      return (server?.restarts ?? 0) >= 3;
    });
    const waits = platform
      .log()
      .split("\n")
      .filter((line) => line.includes('"child":"server"'))
      .map((line) => (JSON.parse(line) as { waitMs: number }).waitMs);
    expect(waits.slice(0, 3)).toEqual([0, 250, 500]);
  });
});
