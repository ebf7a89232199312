import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isInformative, logMeanPowers, type Margins } from "./hypergeometric.ts";

const margins = fc
  .record({
    total: fc.integer({ min: 2, max: 60 }),
    candidate: fc.integer({ min: 0, max: 60 }),
    bad: fc.integer({ min: 0, max: 60 }),
  })
  .filter(({ total, candidate, bad }) => candidate <= total && bad <= total);

function choose(n: number, k: number): number {
  let product = 1;
  for (let step = 1; step <= k; step += 1) product = (product * (n - k + step)) / step;
  return product;
}

/** P(X = x), by its definition. */
function probability({ total, candidate, bad }: Margins, x: number): number {
  return (choose(candidate, x) * choose(total - candidate, bad - x)) / choose(total, bad);
}

function support({ total, candidate, bad }: Margins): number[] {
  const lowest = Math.max(0, bad - (total - candidate));
  const highest = Math.min(candidate, bad);
  return Array.from({ length: highest - lowest + 1 }, (_, index) => lowest + index);
}

describe("the likelihood ratio of one stratum", () => {
  it("is worth 1 on average when both arms are alike, for every table and every odds ratio", () => {
    fc.assert(
      fc.property(margins, fc.constantFrom(1.5, 2, 5, 30), (table, odds) => {
        fc.pre(isInformative(table));
        const [logMean = 0] = logMeanPowers(table, [odds]);
        const mean = support(table).reduce(
          (sum, x) => sum + probability(table, x) * Math.exp(x * Math.log(odds) - logMean),
          0,
        );
        expect(mean).toBeCloseTo(1, 8);
      }),
    );
  });

  it("is worth at most 1 on average when the candidate is better", () => {
    fc.assert(
      fc.property(margins, fc.constantFrom(0.2, 0.5, 0.9), (table, truth) => {
        fc.pre(isInformative(table));
        const [logMean = 0] = logMeanPowers(table, [3]);
        const weights = support(table).map((x) => probability(table, x) * truth ** x);
        const sum = weights.reduce((total, each) => total + each, 0);
        const mean = support(table).reduce(
          (total, x, index) => total + ((weights[index] ?? 0) / sum) * Math.exp(x * Math.log(3) - logMean),
          0,
        );
        expect(mean).toBeLessThanOrEqual(1 + 1e-9);
      }),
    );
  });

  it("stays finite for large tables", () => {
    const [logMean = Number.NaN] = logMeanPowers({ total: 2_000_000, candidate: 200_000, bad: 90_000 }, [30]);
    expect(Number.isFinite(logMean)).toBe(true);
  });

  it("says nothing where one side of the table is empty", () => {
    expect(isInformative({ total: 10, candidate: 0, bad: 3 })).toBe(false);
    expect(isInformative({ total: 10, candidate: 4, bad: 0 })).toBe(false);
    expect(isInformative({ total: 10, candidate: 4, bad: 10 })).toBe(false);
  });
});
