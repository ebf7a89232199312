import type { ConnectionPolicy } from "@mainstay/api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startLoad } from "../testing/load.ts";
import { sampleInstance, sampleRouting, startPlatform, type Platform } from "../testing/platform.ts";
import { waitFor } from "../testing/wait-for.ts";

/** The aim is 5 s; on a machine that is shared with other work a test says less than a measurement. */
const FAILOVER_LIMIT_MS = 15_000;

const HEALTH = { path: "/healthz", intervalMs: 1000, timeoutMs: 2000 };
const HOLDING: ConnectionPolicy = {
  balance: "round-robin",
  weights: [],
  drainTimeoutMs: 0,
  holdTimeoutMs: 20_000,
};

describe("an instance that dies", () => {
  let platform: Platform;
  beforeEach(async () => void (platform = await startPlatform()));
  afterEach(() => platform.stop());

  async function start(ids: string[]): Promise<number[]> {
    await platform.put({
      // Asked as often as by default.
      instances: ids.map((id) => sampleInstance(platform, id, { health: HEALTH })),
      services: [sampleRouting({ stable: { release: "rel_1", instances: ids }, connections: HOLDING })],
    });
    const ready = await Promise.all(ids.map((id) => platform.waitForState(id, "ready")));
    return ready.map((each) => each.pid ?? 0);
  }

  it("beside another one costs no request", async () => {
    const [pid = 0] = await start(["a", "b"]);
    const load = startLoad({ url: platform.url, users: 10, keepAlive: true });
    await load.more(200);
    process.kill(pid, "SIGKILL");
    await load.more(500);
    await platform.waitForState("a", "ready");
    await load.more(200);
    expect((await load.stop()).failures).toEqual([]);
    const { lost, attempts } = await platform.client.counters();
    expect(lost).toEqual({});
    process.stdout.write(
      `killed beside another one: ${attempts[0]?.retried} requests retried, none failed\n`,
    );
  });

  it("alone costs no request that may be repeated: they wait until it is back", async () => {
    const [pid = 0] = await start(["a"]);
    const load = startLoad({ url: platform.url, users: 10, keepAlive: true });
    await load.more(200);
    process.kill(pid, "SIGKILL");
    await platform.waitForState("a", "backing-off");
    await load.more(200);
    expect((await load.stop()).failures).toEqual([]);
    const { lost, held } = await platform.client.counters();
    expect(lost).toEqual({});
    expect(held).toBeGreaterThan(0);
  });

  it("without a word, its sockets still open, is out of the rotation soon", async () => {
    const [pid = 0, other = 0] = await start(["a", "b"]);
    const stoppedAtMs = performance.now();
    process.kill(pid, "SIGSTOP");
    try {
      await platform.waitForState("a", "unready");
      const tookMs = performance.now() - stoppedAtMs;
      process.stdout.write(`hung: out of the rotation after ${Math.round(tookMs)} ms\n`);
      expect(tookMs).toBeLessThan(FAILOVER_LIMIT_MS);
      await waitFor("the other one to serve everything", async () => {
        const answers = await Promise.all([1, 2, 3, 4].map(() => fetch(platform.url)));
        return answers.every((each) => each.headers.get("x-pid") === String(other));
      });
    } finally {
      process.kill(pid, "SIGCONT");
    }
  });
});
