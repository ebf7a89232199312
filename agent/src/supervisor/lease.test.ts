import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createLease } from "./lease.ts";

function createTimeline() {
  const timers: { at: number; act: () => void; timer: NodeJS.Timeout }[] = [];
  const timeline = {
    now: 0,
    expired: 0,
    schedule(act: () => void, afterMs: number): NodeJS.Timeout {
      const timer = setTimeout(() => {}, 0);
      timers.push({ at: timeline.now + afterMs, act, timer });
      return timer;
    },
    /** Moves the time and lets due timers fire, cleared ones too: a lease must not rely on clearing. */
    async pass(ms: number): Promise<void> {
      timeline.now += ms;
      for (const due of timers.splice(0).filter((each) => each.at <= timeline.now || (timers.push(each), false))) due.act();
      await turn();
      await turn();
    },
  };
  const lease = createLease({
    nowMs: () => timeline.now,
    schedule: timeline.schedule,
    onExpired: () => void (timeline.expired += 1),
  });
  return { timeline, lease };
}

describe("the lease", () => {
  it("expires once when it is not renewed in time", async () => {
    const { timeline, lease } = createTimeline();
    lease.renew(1000);
    await timeline.pass(999);
    expect(timeline.expired).toBe(0);
    await timeline.pass(1);
    await timeline.pass(5000);
    expect(timeline.expired).toBe(1);
  });

  it("lives as long as it is renewed, and anew after it has expired", async () => {
    const { timeline, lease } = createTimeline();
    for (let beat = 0; beat < 10; beat += 1) {
      lease.renew(1000);
      await timeline.pass(900);
    }
    expect(timeline.expired).toBe(0);
    await timeline.pass(1000);
    lease.renew(1000);
    await timeline.pass(1000);
    expect(timeline.expired).toBe(2);
  });

  it("is saved by a renewal that arrives with a late timer", async () => {
    const { timeline, lease } = createTimeline();
    lease.renew(1000);
    const passing = timeline.pass(1500);
    lease.renew(1000);
    await passing;
    expect(timeline.expired).toBe(0);
  });

  it("never expires after it was stopped", async () => {
    const { timeline, lease } = createTimeline();
    lease.renew(1000);
    lease.stop();
    await timeline.pass(2000);
    expect(timeline.expired).toBe(0);
  });
});
