import { describe, expect, it } from "vitest";
import { judgeLimit } from "./limit.ts";
import type { Sample } from "./sample.ts";

function samples(count: number, arms: { stable: [number, number]; candidate: [number, number] }): Sample[] {
  const tally = ([total, bad]: [number, number]) => ({
    total: Array.from({ length: 20 }, () => total),
    bad: Array.from({ length: 20 }, () => bad),
  });
  return Array.from({ length: count }, (_, index) => ({
    atMs: index * 1000,
    metric: "errors",
    stable: tally(arms.stable),
    candidate: tally(arms.candidate),
  }));
}

describe("an absolute ceiling", () => {
  it("acts when the candidate breaks it and the stable release keeps it", () => {
    const seen = samples(20, { stable: [20, 0], candidate: [20, 1] });
    expect(judgeLimit({ share: 0.01, samples: seen }).isViolated).toBe(true);
  });

  it("does not act before 200 requests of the candidate", () => {
    const seen = samples(9, { stable: [20, 0], candidate: [1, 1] });
    expect(judgeLimit({ share: 0.01, samples: seen }).isViolated).toBe(false);
  });

  it("does not act on what hits both arms", () => {
    const seen = samples(20, { stable: [20, 1], candidate: [20, 1] });
    expect(judgeLimit({ share: 0.01, samples: seen }).isViolated).toBe(false);
  });

  it("refuses a share that is none", () => {
    expect(() => judgeLimit({ share: 0, samples: [] })).toThrow(/share/);
  });
});
