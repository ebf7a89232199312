import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DELAY_RULES, waitMs, withAttempt, type Attempts } from "./attempt-delay.ts";
import { gcra } from "./gcra.ts";
import { addressGroup, networkOf } from "./network.ts";

describe("the delay between attempts on an account", () => {
  it("begins after some failures, doubles, and has an end", () => {
    const waits = [1, 3, 4, 5, 6, 7, 20, 1_000].map((failures) => waitMs({ failures, lastAtMs: 0 }, 0));
    expect(waits).toEqual([0, 0, 1_000, 2_000, 4_000, 8_000, 300_000, 300_000]);
  });

  it("runs out, and failures are forgotten after a day", () => {
    const attempts: Attempts = { failures: 6, lastAtMs: 0 };
    expect(waitMs(attempts, 3_999)).toBe(1);
    expect(waitMs(attempts, 4_000)).toBe(0);
    expect(withAttempt(attempts, 4_000)).toEqual({ failures: 7, lastAtMs: 4_000 });
    expect(withAttempt(attempts, DELAY_RULES.forgetMs)).toEqual({ failures: 1, lastAtMs: DELAY_RULES.forgetMs });
  });

  it("never locks anybody out for longer than its limit", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (failures, lateMs) => {
        expect(waitMs({ failures, lastAtMs: 0 }, lateMs)).toBeLessThanOrEqual(DELAY_RULES.longestMs);
      }),
    );
  });
});

describe("the limit of an address", () => {
  const rules = { burst: 3, emissionMs: 1_000 };

  it("lets a burst through, then one at a time", () => {
    let tatMs: number | null = null;
    const take = (nowMs: number) => {
      const verdict = gcra(tatMs, nowMs, rules);
      tatMs = verdict.tatMs;
      return verdict;
    };
    expect([take(0), take(0), take(0)].map(({ remaining }) => remaining)).toEqual([2, 1, 0]);
    expect(take(0)).toMatchObject({ isAllowed: false, retryAfterMs: 1_000 });
    expect(take(999).isAllowed).toBe(false);
    expect(take(1_000).isAllowed).toBe(true);
    expect(take(60_000)).toMatchObject({ isAllowed: true, remaining: 2 });
  });

  it("lets no more through than the burst and the rate, whatever the times", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5_000), { maxLength: 100 }), (gapsMs) => {
        let [nowMs, tatMs, allowed] = [0, null as number | null, 0];
        for (const gapMs of gapsMs) {
          nowMs += gapMs;
          const verdict = gcra(tatMs, nowMs, rules);
          tatMs = verdict.tatMs;
          allowed += Number(verdict.isAllowed);
        }
        expect(allowed).toBeLessThanOrEqual(rules.burst + nowMs / rules.emissionMs);
      }),
    );
  });
});

describe("addresses", () => {
  it("count one by one in IPv4, and by their /64 in IPv6", () => {
    expect(addressGroup("192.0.2.7")).toBe("192.0.2.7");
    expect(addressGroup("::ffff:192.0.2.7")).toBe("192.0.2.7");
    expect(addressGroup("2001:db8::1")).toBe("2001:db8:0:0::/64");
    expect(addressGroup("2001:0db8:0000:0000:ffff::1")).toBe("2001:db8:0:0::/64");
    expect(addressGroup("fe80::1%eth0")).toBe("fe80:0:0:0::/64");
    expect(addressGroup("64:ff9b::192.0.2.33")).toBe("64:ff9b:0:0::/64");
    expect(addressGroup("nonsense")).toBe("unknown");
  });

  it("belong to a network", () => {
    expect(networkOf("192.0.2.7")).toBe("192.0.2.0/24");
    expect(networkOf("2001:db8:1:2::1")).toBe("2001:db8:1::/48");
  });
});
