import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runScenarios } from "./run-scenarios.ts";
import { runOnce, SCENARIOS, summarize, type Situation } from "./scenario.ts";
import { simulationWords } from "./simulation-words.ts";

const situation: Situation = {
  ratePerSecond: 20,
  errorShare: 0.005,
  medianLatencyMs: 250,
  stages: [
    { weight: 0.25, bakeMs: 60_000 },
    { weight: 0.5, bakeMs: 60_000 },
  ],
  judge: { metrics: ["errors", "latency"], alpha: 0.01, warmupMs: 5_000 },
  policy: "hold",
};

describe("a simulated release", () => {
  it("ends the same way with the same seed, and a sick one is undone", () => {
    const [healthy, , errors, latency] = SCENARIOS;
    expect(runOnce(situation, healthy.regression, 7)).toEqual(runOnce(situation, healthy.regression, 7));
    expect(runOnce(situation, healthy.regression, 7).end).toBe("promoted");
    expect(runOnce(situation, errors.regression, 7).end).toBe("undone");
    expect(runOnce(situation, latency.regression, 7).end).toBe("undone");
  });

  it("is judged by what the service file names, and by nothing else", () => {
    const errorsOnly = { ...situation, judge: { ...situation.judge, metrics: ["errors"] as const } };
    expect(runOnce(errorsOnly, SCENARIOS[3].regression, 7).end).toBe("promoted");
  });
});

const outcome = fc.record({
  end: fc.constantFrom("undone" as const, "promoted" as const, "held" as const),
  atMs: fc.nat(1e6),
  stage: fc.nat(2),
  holdsMs: fc.array(fc.nat(1e6), { maxLength: 3 }),
});

describe("the summary", () => {
  it("accounts for every run, and what is noticed stays noticed", () => {
    fc.assert(
      fc.property(fc.array(outcome, { minLength: 1 }), (outcomes) => {
        const { undone, promoted, held, noticedBy } = summarize("x", outcomes, 3);
        expect(undone + promoted + held).toBeCloseTo(1);
        expect(noticedBy).toEqual(noticedBy.toSorted((left, right) => left - right));
        expect(noticedBy.at(-1)).toBeCloseTo(undone);
      }),
    );
  });

  it("tells how long a stage was held beyond its bake time, of those that finished it", () => {
    const outcomes = [
      { end: "promoted", atMs: 1, stage: 1, holdsMs: [4000, 0] },
      { end: "undone", atMs: 1, stage: 1, holdsMs: [2000] },
    ] as const;
    const copies = outcomes.map((each) => ({ ...each, holdsMs: [...each.holdsMs] }));
    expect(summarize("x", copies, 3).holdMs).toEqual([3000, 0, null]);
  });
});

/** Held by nobody, so that no run lasts long. */
const brief: Situation = { ...situation, policy: "advance" };

describe("all scenarios", () => {
  it("are run as often as asked with the same result every time, and told in a table", async () => {
    const told: string[] = [];
    const effort = {
      runs: 4,
      budgetMs: null,
      nowMs: () => 0,
      onProgress: (name: string) => void told.push(name),
    };
    const summaries = await runScenarios(brief, effort);
    expect(summaries).toEqual(await runScenarios(brief, effort));
    expect(summaries.map((each) => [each.scenario, each.runs])).toEqual(
      SCENARIOS.map(({ name }) => [name, 4]),
    );
    expect(told.filter((name) => name === "healthy").length).toBe(8);
    const words = simulationWords(brief, summaries, ["a note"]);
    expect(words).toMatch(/errors ×5[^]*25% for 1m +[▇░]{10} \d[^]*a note/);
  });

  it("stop beginning runs when the time is over, but run each scenario once", async () => {
    let nowMs = 0;
    const effort = { runs: 50, budgetMs: 4, nowMs: () => nowMs++, onProgress: () => {} };
    const runs = (await runScenarios(brief, effort)).map((each) => each.runs);
    expect(Math.min(...runs)).toBeGreaterThan(0);
    expect(Math.max(...runs)).toBeLessThan(10);
  });
});
