import { array, assert, asyncProperty, constant, constantFrom, double, integer, oneof } from "fast-check";
import { describe, expect, it } from "vitest";
import { askOver, plain, storageOf } from "../../../testing/ask.ts";

type Value = number | "stale" | null;

const value = oneof(
  { weight: 6, arbitrary: integer({ min: 0, max: 1000 }) },
  { weight: 2, arbitrary: double() },
  constantFrom<Value>(NaN, Infinity, -0, "stale", null),
);

/** A counter that sometimes begins anew, or anything. */
const values = oneof(
  array(oneof({ weight: 9, arbitrary: integer({ min: 0, max: 9 }) }, constant(-1)), { maxLength: 60 }).map(
    (steps) => {
      let sum = 0;
      return steps.map((step): Value => (sum = step < 0 ? 0 : sum + step));
    },
  ),
  array(value, { maxLength: 60 }),
);

/** The answer, with the times of steps, and NaN and -0 as they are. */
async function answer(query: string, samples: readonly Value[], startsMs?: readonly number[]) {
  const series = { labels: { __name__: "m_total" }, values: samples, ...(startsMs && { startsMs }) };
  const { value: found } = await askOver(storageOf(10_000, [series]), query, [0, 700, 17]);
  return {
    values: plain(found),
    times: found.type === "matrix" ? found.series.map((each) => each.timestampsMs) : [],
  };
}

describe("filling a column at once", () => {
  it.each([
    "rate(m_total[45s])",
    "increase(m_total[1m])",
    "delta(m_total[1m] offset 13s)",
    "rate(m_total[5m] @ 300)",
    ...["sum", "avg", "min", "max", "count", "last", "present"].map(
      (name) => `${name}_over_time(m_total[70s])`,
    ),
  ])("%s makes what a window for each step makes", async (query) => {
    // Start times that say nothing change no result, but are not known to what fills columns.
    await assert(
      asyncProperty(values, async (samples) => {
        const unsaid = samples.map(() => 0);
        expect(await answer(query, samples)).toEqual(await answer(query, samples, unsaid));
      }),
      { numRuns: 60 },
    );
  });
});
