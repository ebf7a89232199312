import { BUCKETS as API_BUCKETS, GROUPS as API_GROUPS } from "@mainstay/api";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assignBucket, BUCKETS, GROUPS } from "./assignment.ts";

describe("the assignment of users", () => {
  it.each([
    // Computed by HAProxy 2.6: str(release:…),xxh32(0),mod(10000).
    ["shop", "chg_1", "u1", 5265],
    ["shop", "chg_1", "u2", 3382],
    ["shop", "", "anonymous", 4044],
    ["shop", "chg_1", "café", 2233],
    ["a-service", "chg_0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b", "QUJDREVGR0hJSktM", 5283],
  ])("puts %s, %s, %s where HAProxy puts it", (service, change, id, bucket) => {
    expect(assignBucket(service, change, id)).toBe(bucket);
  });

  it("uses the buckets and groups that everybody else uses", () => {
    expect([BUCKETS, GROUPS]).toEqual([API_BUCKETS, API_GROUPS]);
  });

  it("never moves anybody back when the weight rises", () => {
    const weight = fc.integer({ min: 0, max: BUCKETS });
    fc.assert(
      fc.property(fc.string(), fc.string(), weight, weight, (change, id, one, other) => {
        const [lower, higher] = [Math.min(one, other), Math.max(one, other)];
        const bucket = assignBucket("shop", change, id);
        return bucket >= lower || bucket < higher;
      }),
    );
  });

  it.each([0.001, 0.1, 0.25, 0.5])(
    "gives the candidate its share of %d, within four standard deviations",
    (share) => {
      const users = 50_000;
      let candidates = 0;
      for (let user = 0; user < users; user += 1) {
        if (assignBucket("shop", "chg_7", `user-${user}`) < share * BUCKETS) candidates += 1;
      }
      const deviation = Math.sqrt(users * share * (1 - share));
      expect(Math.abs(candidates - users * share)).toBeLessThan(4 * deviation);
    },
  );

  it("assigns anew with every change, independently of the last", () => {
    const users = Array.from({ length: 20_000 }, (_, user) => `user-${user}`);
    const isIn = (change: string, user: string) => assignBucket("shop", change, user) < BUCKETS / 2;
    const both = users.filter((user) => isIn("chg_1", user) && isIn("chg_2", user)).length;
    expect(Math.abs(both - users.length / 4)).toBeLessThan(4 * Math.sqrt((users.length * 3) / 16));
  });

  it("spreads users evenly over the groups, whatever their arm", () => {
    const counts = Array.from({ length: GROUPS }, () => 0);
    for (let user = 0; user < 40_000; user += 1) {
      const bucket = assignBucket("shop", "chg_1", `user-${user}`);
      if (bucket < 1000) counts[bucket % GROUPS] = (counts[bucket % GROUPS] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 200)).toBeLessThan(4 * Math.sqrt(200));
  });
});
