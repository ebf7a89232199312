import { afterEach, describe, expect, it } from "vitest";
import { startLoad } from "../testing/load.ts";
import { sampleInstance, sampleRouting, startPlatform, type Platform } from "../testing/platform.ts";
import { waitFor } from "../testing/wait-for.ts";
import { TEST_ENGINES } from "../testing/worker.ts";

describe.runIf(TEST_ENGINES.includes("haproxy"))(
  "the platform on HAProxy (skipped where it is absent)",
  () => {
    let platform: Platform;
    afterEach(async () => void (await platform.stop()));

    it("loses nothing while its keeper, and the Node worker behind it, are replaced", async () => {
      platform = await startPlatform({ engine: "haproxy" });
      await platform.put({ instances: [sampleInstance(platform, "a")], services: [sampleRouting()] });
      await platform.waitForState("a", "ready");
      expect((await platform.status()).children.map((each) => each.name)).toEqual([
        "proxy-0",
        "haproxy",
        "agent",
      ]);
      const load = startLoad({ url: platform.url, users: 10, keepAlive: true });
      for (const name of ["haproxy", "proxy-0"]) {
        await load.more(100);
        const before = await platform.pidOf(name);
        process.kill(before, "SIGTERM");
        await waitFor("another one", async () => (await platform.pidOf(name)) !== before);
      }
      await load.more(100);
      const { failures, requests } = await load.stop();
      expect(failures).toEqual([]);
      const counters = await platform.client.counters();
      const counted = counters.requests.reduce((sum, each) => sum + each.count, 0);
      // What the keeper counted after the agent had asked it for the last time went with it.
      expect(counted).toBeGreaterThan(100);
      expect(counted).toBeLessThanOrEqual(requests);
      expect([counters.lost, counters.requests.map((each) => each.code)]).toEqual([{}, ["2xx"]]);
    });

    it("answers what it has when its keeper is killed, and another takes its place", async () => {
      platform = await startPlatform({ engine: "haproxy" });
      await platform.put({ instances: [sampleInstance(platform, "a")], services: [sampleRouting()] });
      await platform.waitForState("a", "ready");
      const slow = fetch(`${platform.url}/slow?ms=700`);
      await waitFor("the request", async () => ((await platform.instance("a"))?.inflight ?? 0) > 0);
      process.kill(await platform.pidOf("haproxy"), "SIGKILL");
      expect((await fetch(`${platform.url}/`)).status).toBe(200);
      expect((await slow).status).toBe(200);
    });

    it("falls back to proven weights when the server falls silent", async () => {
      platform = await startPlatform({ engine: "haproxy" });
      const other = sampleInstance(platform, "b", { release: "rel_2" });
      const instances = [sampleInstance(platform, "a"), other];
      const candidate = { release: "rel_2", instances: ["b"] };
      const routing = sampleRouting({ candidate, change: "chg_1", weight: 10_000, proven: 0 });
      await platform.put({ instances, services: [routing] });
      await platform.waitForState("a", "ready");
      await platform.waitForState("b", "ready");
      expect((await fetch(platform.url)).headers.get("x-release")).toBe("rel_2");
      await platform.put({ instances, services: [routing], leaseTtlMs: 300 });
      await waitFor("the stable release", async () => {
        return (await fetch(platform.url)).headers.get("x-release") === "rel_1";
      });
      expect((await platform.client.observed()).leaseExpired).toBe(true);
    });

    it("unroutes, drains and only then ends an instance", async () => {
      platform = await startPlatform({ engine: "haproxy" });
      const [a, b] = [sampleInstance(platform, "a"), sampleInstance(platform, "b")];
      await platform.put({
        instances: [a, b],
        services: [sampleRouting({ stable: { release: "rel_1", instances: ["a"] } })],
      });
      await platform.waitForState("a", "ready");
      await platform.waitForState("b", "ready");
      const slow = fetch(`${platform.url}/slow?ms=800`);
      await waitFor("the request", async () => ((await platform.instance("a"))?.inflight ?? 0) > 0);
      await platform.put({
        instances: [b],
        services: [sampleRouting({ stable: { release: "rel_1", instances: ["b"] } })],
      });
      expect((await fetch(platform.url)).headers.get("x-pid")).toBe(
        String((await platform.instance("b"))?.pid),
      );
      expect((await platform.instance("a"))?.state).toBe("draining");
      expect((await slow).status).toBe(200);
      await waitFor(
        "it to be gone",
        async () => ((await platform.instance("a"))?.state ?? "exited") === "exited",
      );
      expect((await platform.client.counters()).lost).toEqual({});
    });
  },
);
