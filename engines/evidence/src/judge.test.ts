import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createJudge, replay, type HistoryEntry } from "./judge.ts";
import type { ArmTally, Sample } from "./sample.ts";

const GROUPS = 20;

/** Spread over the groups, beginning with another one each second, as many users would be. */
function evenly([total, bad]: [number, number], first: number): ArmTally {
  const spread = (count: number) =>
    Array.from({ length: GROUPS }, (_, group) => {
      const isExtra = (group - first + 100 * GROUPS) % GROUPS < count % GROUPS;
      return Math.floor(count / GROUPS) + (isExtra ? 1 : 0);
    });
  return { total: spread(total), bad: spread(bad) };
}

interface Arms {
  stable: [total: number, bad: number];
  candidate: [total: number, bad: number];
}

function second(atMs: number, { stable, candidate }: Arms): Sample {
  const first = (7 * (atMs / 1000)) % GROUPS;
  return { atMs, metric: "errors", stable: evenly(stable, first), candidate: evenly(candidate, first) };
}

/** A judge of errors that was shown the same second again and again. */
function shown(seconds: number, arms: Arms) {
  const judge = createJudge({ metrics: ["errors"] });
  judge.startStage(0);
  for (let index = 0; index < seconds; index += 1) judge.add(second(index * 1000, arms));
  return judge;
}

const arm = fc
  .array(fc.tuple(fc.nat({ max: 30 }), fc.nat({ max: 30 })), { minLength: GROUPS, maxLength: GROUPS })
  .map((groups) => ({
    total: groups.map(([total]) => total),
    bad: groups.map(([total, bad]) => Math.min(total, bad)),
  }));
const history = fc
  .array(fc.record({ stable: arm, candidate: arm, isStage: fc.boolean() }), { maxLength: 12 })
  .map((entries) =>
    entries.flatMap(({ stable, candidate, isStage }, index): HistoryEntry[] => [
      ...(isStage || index === 0 ? [{ kind: "stage" as const, atMs: index * 1000 }] : []),
      { kind: "sample", atMs: index * 1000, metric: "errors", stable, candidate },
    ]),
  );

describe("the verdict", () => {
  it("is harm within seconds when the candidate fails far more often", () => {
    expect(shown(8, { stable: [450, 2], candidate: [50, 10] }).evaluate().verdict).toBe("harm");
  });

  it("is never reached by one second alone, however bad it was", () => {
    expect(shown(1, { stable: [4500, 0], candidate: [500, 500] }).evaluate().verdict).not.toBe("harm");
  });

  it("is no harm once enough requests went well, also when nothing ever fails", () => {
    const arms: Arms = { stable: [90, 0], candidate: [10, 0] };
    expect(shown(10, arms).evaluate().verdict).toBe("insufficient");
    expect(shown(60, arms).evaluate().verdict).toBe("no-harm");
  });

  it("is not harm when both arms fail alike, however much", () => {
    expect(shown(300, { stable: [90, 45], candidate: [10, 5] }).evaluate().verdict).not.toBe("harm");
  });

  it("is not harm when the difference is too small to matter", () => {
    expect(shown(600, { stable: [20_000, 2000], candidate: [20_000, 2200] }).evaluate().verdict).not.toBe(
      "harm",
    );
  });

  it("is not harm when one user's failures are all there is", () => {
    const judge = createJudge({ metrics: ["errors"] });
    judge.startStage(0);
    for (let index = 0; index < 120; index += 1) {
      const sample = second(index * 1000, { stable: [180, 0], candidate: [20, 0] });
      sample.candidate.total[3] = 6;
      sample.candidate.bad[3] = 5;
      judge.add(sample);
    }
    const { verdict, designEffect } = judge.evaluate();
    expect(verdict).not.toBe("harm");
    expect(designEffect).toBeGreaterThan(10);
  });

  it("does not wait for a good past to be outweighed when a regression begins late", () => {
    const judge = shown(600, { stable: [450, 2], candidate: [50, 0] });
    for (let index = 600; index < 615; index += 1) {
      judge.add(second(index * 1000, { stable: [450, 2], candidate: [50, 8] }));
    }
    expect(judge.evaluate().verdict).toBe("harm");
  });

  it("leaves the warm-up of a metric out", () => {
    const judge = createJudge({ metrics: ["latency"], warmupMs: { latency: 20_000 } });
    judge.startStage(0);
    const cold = (index: number) => ({
      ...second(index * 1000, { stable: [90, 4], candidate: [10, 10] }),
      metric: "latency",
    });
    for (let index = 0; index < 20; index += 1) judge.add(cold(index));
    expect(judge.evaluate().perMetric[0]?.candidate.total).toBe(0);
    for (let index = 20; index < 60; index += 1) judge.add(cold(index));
    expect(judge.evaluate().verdict).toBe("harm");
  });
});

describe("whatever the judge is shown", () => {
  it("it says the same when it is shown it again, and always in finite numbers", () => {
    fc.assert(
      fc.property(history, (entries) => {
        const judge = createJudge({ metrics: ["errors"] });
        for (const entry of entries) {
          if (entry.kind === "stage") judge.startStage(entry.atMs);
          else judge.add(entry);
          // Asking in between changes nothing.
          judge.evaluate();
        }
        const evidence = judge.evaluate();
        expect(replay({ metrics: ["errors"] }, entries)).toEqual(evidence);
        expect(JSON.parse(JSON.stringify(evidence))).toEqual(evidence);
      }),
      { numRuns: 60 },
    );
  });

  it("it refuses what cannot be counted, and says where", () => {
    const judge = createJudge({ metrics: ["errors"] });
    expect(() => judge.add(second(0, { stable: [1, 0], candidate: [1, 0] }))).toThrow(/startStage/);
    judge.startStage(0);
    const broken = second(0, { stable: [1, 0], candidate: [1, 0] });
    broken.candidate.bad[0] = 2;
    expect(() => judge.add(broken)).toThrow(/candidate.bad\[0\] is 2, more than/);
    expect(() => judge.add({ ...broken, metric: "colour" })).toThrow(/"colour" is not judged/);
    expect(() => createJudge({ metrics: [] })).toThrow(/at least one metric/);
    expect(() => createJudge({ metrics: ["errors"], alpha: 2 })).toThrow(/alpha/);
  });
});
