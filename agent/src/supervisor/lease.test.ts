import { describe, expect, it } from "vitest";
import { turn } from "../testing/wait-for.ts";
import { createLease } from "./lease.ts";

/**
 * A time that passes when it is told to; timers fire even
 * if they were cleared: a lease must not rely on that.
 */
function createTimeline() {
  let nowMs = 0;
  let expired = 0;
  let timers: { atMs: number; act: () => void }[] = [];

  const lease = createLease({
    nowMs: () => nowMs,
    schedule(act, afterMs) {
      timers.push({ atMs: nowMs + afterMs, act });
      return () => {};
    },
    onExpired: () => void (expired += 1),
  });

  async function pass(ms: number): Promise<void> {
    nowMs += ms;
    const due = timers.filter((each) => each.atMs <= nowMs);
    timers = timers.filter((each) => each.atMs > nowMs);
    for (const { act } of due) act();
    await turn();
    await turn();
  }

  return { lease, pass, expired: () => expired };
}

describe("the lease", () => {
  it("expires once when it is not renewed in time", async () => {
    const { lease, pass, expired } = createTimeline();
    lease.renew(1000);
    await pass(999);
    expect(expired()).toBe(0);
    await pass(1);
    await pass(5000);
    expect(expired()).toBe(1);
  });

  it("lives as long as it is renewed, and anew after it has expired", async () => {
    const { lease, pass, expired } = createTimeline();
    for (let beat = 0; beat < 10; beat += 1) {
      lease.renew(1000);
      await pass(900);
    }
    expect(expired()).toBe(0);
    await pass(1000);
    lease.renew(1000);
    await pass(1000);
    expect(expired()).toBe(2);
  });

  it("is saved by a renewal that arrives with a late timer", async () => {
    const { lease, pass, expired } = createTimeline();
    lease.renew(1000);
    const passing = pass(1500);
    lease.renew(1000);
    await passing;
    expect(expired()).toBe(0);
  });

  it("never expires after it was stopped", async () => {
    const { lease, pass, expired } = createTimeline();
    lease.renew(1000);
    lease.stop();
    await pass(2000);
    expect(expired()).toBe(0);
  });
});
