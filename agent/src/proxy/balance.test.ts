import { describe, expect, it } from "vitest";
import { chooseUpstream } from "./balance.ts";
import { holdAgainst } from "./ejection.ts";
import type { RoutedArm } from "./routing-table.ts";
import { createTally } from "./tally.ts";
import { createUpstream, type Upstream } from "./upstream.ts";

const KEY = { service: "shop", environment: "production", arm: "stable", release: "rel_1" } as const;

function armOf(balance: RoutedArm["balance"], weights: number[]): RoutedArm {
  const upstreams = weights.map((weight, index) =>
    Object.assign(createUpstream("abcdef".charAt(index), index + 1), { weight }),
  );
  return { arm: "stable", balance, upstreams, next: 0, tally: createTally(KEY) };
}

/** Who gets the next so many requests; none of them ends. */
function choices(arm: RoutedArm, count: number, tried: Upstream[] = [], nowMs = 0): string {
  let names = "";
  for (let index = 0; index < count; index += 1) {
    const chosen = chooseUpstream(arm, tried, nowMs);
    if (chosen) chosen.inflight += 1;
    names += chosen?.id ?? "-";
  }
  return names;
}

describe("the next instance of an arm", () => {
  it("is the next in turn", () => {
    expect(choices(armOf("round-robin", [1, 1, 1]), 7)).toBe("abcabca");
  });

  it("comes as often as it weighs, spread evenly", () => {
    expect(choices(armOf("round-robin", [5, 1, 1]), 7)).toBe("aabacaa");
    expect(choices(armOf("round-robin", [3, 1]), 8)).toBe("aabaaaba");
  });

  it("is the one with the fewest requests for its weight, and in turn among equals", () => {
    const arm = armOf("least-connections", [1, 1, 1]);
    const [busy] = arm.upstreams;
    if (busy) busy.inflight = 3;
    expect(choices(arm, 6)).toHaveLength(6);
    expect(arm.upstreams.map((each) => each.inflight)).toEqual([3, 3, 3]);
    expect(new Set(choices(arm, 3)).size).toBe(3);
    const weighted = armOf("least-connections", [3, 1]);
    choices(weighted, 8);
    expect(weighted.upstreams.map((each) => each.inflight)).toEqual([6, 2]);
  });

  it.each(["round-robin", "least-connections"] as const)(
    "by %s is none that was tried, left or was ejected, unless all were ejected",
    (balance) => {
      const arm = armOf(balance, [1, 1, 1]);
      const [a, b, c] = arm.upstreams;
      if (!a || !b || !c) throw new Error("three instances were made");
      b.state = "draining";
      expect(choices(arm, 4, [a])).toBe("cccc");
      expect(choices(arm, 1, [a, c])).toBe("-");
      holdAgainst(c.ejection, "connect", 0);
      expect(choices(arm, 4)).toBe("aaaa");
      holdAgainst(a.ejection, "connect", 0);
      expect(new Set(choices(arm, 8))).toEqual(new Set("ac"));
      expect(choices(armOf(balance, []), 1)).toBe("-");
    },
  );

  it("is the only one there is, ejected or not, but never twice for one request", () => {
    const arm = armOf("round-robin", [1]);
    const [only] = arm.upstreams;
    if (!only) throw new Error("one instance was made");
    holdAgainst(only.ejection, "connect", 0);
    expect([choices(arm, 2), choices(arm, 1, [only])]).toEqual(["aa", "-"]);
  });

  it("may be an ejected one again when its time is over", () => {
    const arm = armOf("round-robin", [1, 1]);
    const [first] = arm.upstreams;
    if (first) holdAgainst(first.ejection, "connect", 0);
    expect([choices(arm, 3, [], 999), choices(arm, 2, [], 1000)]).toEqual(["bbb", "ab"]);
  });
});
