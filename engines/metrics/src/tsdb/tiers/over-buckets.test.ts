import { describe, expect, it } from "vitest";
import { askAt, askOver, plain } from "../../testing/ask.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, named, openTestStore, START_MS } from "../testing/test-store.ts";

/** 1, 2 and 3 in two buckets of five minutes, the samples long gone. */
async function oldSamples() {
  const test = openTestStore();
  test.store.sealPast();
  const pastMs = START_MS - 33 * DAY_MS;
  const timestampsMs = Float64Array.of(1, 2, 6).map((minute) => pastMs + minute * MINUTE_MS);
  await test.store.backfill([
    { labels: named("old"), floats: { timestampsMs, values: Float64Array.of(1, 2, 3) } },
  ]);
  await test.store.maintain();
  const endS = (pastMs + HOUR_MS) / 1000;
  return { test, at: async (query: string) => plain((await askAt(test.store, query, endS)).value) };
}

describe("a function over buckets", () => {
  it.each([
    ["count_over_time", 3],
    ["avg_over_time", 2],
    ["sum_over_time", 6],
    ["min_over_time", 1],
    ["max_over_time", 3],
    ["present_over_time", 1],
    ["stddev_over_time", 0.5],
  ])("%s of 1, 2 and 3 gives %d", async (name, expected) => {
    const { test, at } = await oldSamples();
    using _ = test;
    expect(await at(`${name}(old[1h])`)).toEqual({ "{}": expected });
  });

  it("weighs buckets and samples by what they stand for", async () => {
    using test = openTestStore({ blockMs: HOUR_MS, outOfOrderMs: 0 });
    const rows = Array.from({ length: 24 * 60 }, (_, index): [number, number] => [
      START_MS + (index + 1) * MINUTE_MS,
      index < 23 * 60 + 30 ? 1 : 9,
    ]);
    test.fill(named("steps"), rows);
    await test.store.maintain();
    const endS = (START_MS + DAY_MS) / 1000;
    const range: [number, number, number] = [endS - 43_200, endS, 43_200];
    const { value } = await askOver(test.store, "avg_over_time(steps[1d])", range);
    const values = value.type === "matrix" ? [...(value.series[0]?.values ?? [])] : [];
    expect(values[0]).toBe(1);
    expect(values[1]).toBeCloseTo((1410 + 30 * 9) / 1440, 12);
  });
});
