import { array, assert, boolean, constantFrom, integer, nat, property, record } from "fast-check";
import { expect, it } from "vitest";
import { setStaleAt } from "../stale.ts";
import type { Series } from "../storage.ts";
import { createSampleBatch } from "./batch.ts";
import { wordsOf } from "./codec/value-column.ts";
import { equal, named, openTestStore, START_MS, type TestStore } from "./testing/test-store.ts";

const MATCHERS = [equal("__name__", "m")];
const BUDGET = { addSamples: () => {}, addBytes: () => {} };
const HINTS = { stepMs: 0, rangeMs: 0, functionName: "" };

interface Wanted {
  range: { fromMs: number; toMs: number };
  inTurn: boolean;
}

function select({ store }: TestStore, { range, inTurn }: Wanted): Series[] {
  return store.select(MATCHERS, { ...range, hints: HINTS, budget: BUDGET, inTurn });
}

/** Times and bits, taken down before the next series is looked at. */
function bitsOf({ labels, floats: { timestampsMs, values } }: Series) {
  return { key: labels.key, times: [...timestampsMs], words: [...wordsOf(values.slice())] };
}

/** Scrapes of some targets: those that share a phase have the same times. */
const series = record({
  phaseMs: constantFrom(0, 0, 0, 7),
  skipped: nat(3),
  samples: integer({ min: 1, max: 200 }),
  places: constantFrom(1, 100, 3),
  isStale: boolean(),
  isLate: boolean(),
});

it("gives in turn the samples that it gives at once", () => {
  assert(
    property(array(series, { maxLength: 8 }), nat(3_000_000), nat(3_000_000), (all, from, length) => {
      using test = openTestStore();
      all.forEach((each, nth) => {
        const batch = createSampleBatch(each.samples + 1);
        const answer = test.store.resolve(named("m", { nth: String(nth) }));
        for (let index = each.skipped; index < each.samples; index++) {
          batch.refs[batch.count] = "ref" in answer ? answer.ref : 0;
          batch.timestampsMs[batch.count] = START_MS + each.phaseMs + index * 15_000;
          batch.values[batch.count++] = (index * 7 * nth) / each.places;
        }
        if (each.isStale && batch.count > 1) setStaleAt(batch.values, batch.count - 1);
        test.clock.nowMs = START_MS + 3_600_000;
        test.store.append({ samples: batch });
        if (each.isLate) test.fill(named("m", { nth: String(nth) }), [[START_MS + 90_001, nth]]);
      });
      const range = { fromMs: START_MS + from, toMs: START_MS + from + length };
      const atOnce = select(test, { range, inTurn: false }).map(bitsOf);
      const inTurn = select(test, { range, inTurn: true }).map(bitsOf);
      expect(inTurn.filter(({ times }) => times.length > 0)).toEqual(atOnce);
    }),
    { numRuns: 60 },
  );
});

it("hands out the same object of times for series of one target, and another for others", () => {
  using test = openTestStore();
  const rows = (phaseMs: number): [number, number][] =>
    Array.from({ length: 100 }, (_, index) => [START_MS + phaseMs + index * 15_000, index]);
  [0, 0, 3, 0].forEach((phaseMs, nth) => test.fill(named("m", { nth: String(nth) }), rows(phaseMs)));
  const range = { fromMs: START_MS, toMs: START_MS + 3_600_000 };
  const [first, second, third, fourth] = select(test, { range, inTurn: true }).map(
    ({ floats }) => floats.timestampsMs,
  );
  expect(second).toBe(first);
  expect(third).not.toBe(first);
  expect(fourth).not.toBe(first);
});
