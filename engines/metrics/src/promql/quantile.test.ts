import fc from "fast-check";
import { expect, it } from "vitest";
import { quantileOf } from "./quantile.ts";

/** By sorting all of them. */
function simply(q: number, values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => Number(!Number.isNaN(a)) - Number(!Number.isNaN(b)) || a - b);
  const rank = q * (sorted.length - 1);
  const [lower, weight] = [Math.floor(rank), rank - Math.floor(rank)];
  const upper = Math.min(sorted.length - 1, lower + 1);
  return (sorted[lower] ?? NaN) * (1 - weight) + (sorted[upper] ?? NaN) * weight;
}

const some = fc.oneof(fc.integer({ min: -5, max: 5 }), fc.double({ noNaN: true, min: -1e6, max: 1e6 }));
const oneOf = fc.record({
  // Few different values, many, rising ones, and some that are none.
  few: fc.array(fc.oneof({ weight: 20, arbitrary: some }, { weight: 1, arbitrary: fc.constant(NaN) }), {
    minLength: 1,
    maxLength: 20,
  }),
  times: fc.constantFrom(1, 3, 2000),
  rise: fc.constantFrom(0, 1, -0.5),
  q: fc.oneof(fc.constantFrom(0, 0.5, 1), fc.double({ noNaN: true, min: 0, max: 1 })),
});

it("a quantile is that of the sorted values, however many there are", () => {
  fc.assert(
    fc.property(oneOf, ({ few, times, rise, q }) => {
      const values = Array.from({ length: few.length * times }, (_, index) => {
        return (few[index % few.length] ?? NaN) + index * rise;
      });
      expect(quantileOf(q, Float64Array.from(values))).toBe(simply(q, values) + 0);
    }),
    { numRuns: 60 },
  );
});
