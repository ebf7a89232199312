import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS, type CardinalityBudget } from "../settings.ts";
import type { MetricsStore } from "../store.ts";
import { HOUR_MS, named, openTestStore, START_MS } from "../testing/test-store.ts";

const BUDGET: CardinalityBudget = { ...DEFAULT_LIMITS.budget, series: 10, reservedSeries: 4 };

interface Wish {
  count: number;
  isReserved: boolean;
}

/** Begins `own 0`, `own 1`, … and answers how many of them were taken. */
function fill(store: MetricsStore, name: string, { count, isReserved }: Wish): number {
  const answers = Array.from({ length: count }, (_, index) =>
    store.resolve(named(name, { id: String(index) }), { isReserved }),
  );
  return answers.filter((each) => "ref" in each).length;
}

describe("room that is reserved", () => {
  it("cannot be used up by others, who go on with what they have", () => {
    using test = openTestStore({ budget: BUDGET });
    const { store } = test;
    expect(fill(store, "others", { count: 10, isReserved: false })).toBe(6);
    expect(store.resolve(named("others", { id: "7" }))).toMatchObject({
      refusal: { reason: "series", limit: 6, isReserved: false, message: expect.stringContaining("4") },
    });
    expect(fill(store, "own", { count: 10, isReserved: true })).toBe(4);
    expect(fill(store, "others", { count: 6, isReserved: false })).toBe(6);
  });

  it("is the least that its owner may have: beyond it there is what others leave", () => {
    using test = openTestStore({ budget: BUDGET });
    expect(fill(test.store, "own", { count: 20, isReserved: true })).toBe(10);
    expect(fill(test.store, "others", { count: 1, isReserved: false })).toBe(0);
    const refusals = test.store.refusals();
    expect(refusals.map(({ metric, isReserved, limit }) => [metric, isReserved, limit])).toEqual([
      ["own", true, 10],
      ["others", false, 10],
    ]);
  });

  it("knows no limit by metric, label or length, which others could use up", () => {
    const few = { seriesPerMetric: 1, valuesPerLabel: 1, labelsPerSeries: 2, valueCharacters: 4 };
    using test = openTestStore({ budget: { ...BUDGET, ...few } });
    const { store } = test;
    expect(fill(store, "cpu", { count: 3, isReserved: false })).toBe(1);
    const own = named("cpu", { id: "a", path: "/long/path" });
    expect(store.resolve(own)).toHaveProperty("refusal");
    expect(store.resolve(own, { isReserved: true })).toHaveProperty("ref");
  });

  it("belongs to who resolves a series, also when it was there before or the store was opened anew", () => {
    using test = openTestStore({ budget: BUDGET });
    const put = (id: number) => test.put(named("own", { id: String(id) }), START_MS, 1);
    for (let id = 0; id < 4; id++) put(id);
    expect(fill(test.store, "others", { count: 10, isReserved: false })).toBe(2);
    expect(fill(test.store, "own", { count: 4, isReserved: true })).toBe(4);
    expect(fill(test.store, "others", { count: 10, isReserved: false })).toBe(6);
    const store = test.reopen();
    expect(fill(store, "own", { count: 4, isReserved: true })).toBe(4);
    expect(fill(store, "others", { count: 10, isReserved: false })).toBe(6);
  });

  it("is free again when its series have ended", async () => {
    using test = openTestStore({ budget: BUDGET });
    const own = named("own", { id: "0" });
    test.store.resolve(own, { isReserved: true });
    test.put(own, START_MS, 1);
    test.clock.nowMs += 12 * HOUR_MS;
    test.put(named("others"), test.clock.nowMs, 1);
    await test.store.maintain();
    expect(test.store.status().head.series).toBe(1);
    expect(fill(test.store, "others", { count: 10, isReserved: false })).toBe(5);
    expect(fill(test.store, "own", { count: 10, isReserved: true })).toBe(4);
  });
});

it("refusals say when they happened last", () => {
  using test = openTestStore({ budget: { ...BUDGET, seriesPerMetric: 1 } });
  const resolve = (id: string) => test.store.resolve(named("wide", { id }));
  for (const id of ["taken", "a", "a"]) resolve(id);
  test.clock.nowMs += HOUR_MS;
  resolve("b");
  expect(test.store.refusals()).toMatchObject([
    { metric: "wide", reason: "seriesPerMetric", count: 3, lastAtMs: START_MS + HOUR_MS },
  ]);
});
