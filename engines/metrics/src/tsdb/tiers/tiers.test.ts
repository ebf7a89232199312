import { array, assert, integer, nat, property } from "fast-check";
import { describe, expect, it } from "vitest";
import {
  equal,
  DAY_MS,
  HOUR_MS,
  named,
  MINUTE_MS,
  openTestStore,
  rowsOf,
  START_MS,
} from "../testing/test-store.ts";
import { BUCKET_PARTS, gatherBuckets, joinBuckets } from "./buckets.ts";
import { desiredResolution, planReads } from "./plan-reads.ts";
import { viewBuckets } from "./view-buckets.ts";

const RESOLUTIONS = [0, MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS, DAY_MS];
const hints = (functionName: string, stepMs: number, rangeMs: number) => ({ functionName, stepMs, rangeMs });

/** What a counter grew by, resets taken into account. */
function increaseOf(values: Float64Array): number {
  return values.slice(1).reduce((sum, value, index) => {
    const before = values[index] ?? 0;
    return sum + (value >= before ? value - before : value);
  }, 0);
}

describe("buckets", () => {
  const steps = array(integer({ min: 3, max: 400 }), { minLength: 1, maxLength: 60 });
  const column = (distances: readonly number[], values: readonly number[]) => {
    let timeMs = 0;
    return {
      timestampsMs: Float64Array.from(distances, (distance) => (timeMs += distance)),
      values: Float64Array.from(distances, (_, index) => values[index % values.length] ?? 0),
    };
  };
  const values = array(nat(50), { minLength: 1, maxLength: 60 });

  it("say the same whether samples came in one block or in several", () => {
    assert(
      property(steps, values, nat(60), (distances, numbers, border) => {
        const all = column(distances, numbers);
        const cut = (start: number, end: number) => ({
          timestampsMs: all.timestampsMs.slice(start, end),
          values: all.values.slice(start, end),
        });
        const parts = [cut(0, border), cut(border, distances.length)].map((each) => gatherBuckets(each, 500));
        const joined = joinBuckets(parts, 500);
        const whole = gatherBuckets(all, 500);
        expect(joined.timestampsMs).toEqual(whole.timestampsMs);
        for (const part of BUCKET_PARTS) expect(joined.parts[part], part).toEqual(whole.parts[part]);
      }),
    );
  });

  it("come in the order of time, and each once, where columns lie around each other", () => {
    assert(
      property(steps, values, integer({ min: 2, max: 7 }), (distances, numbers, nth) => {
        const all = column(distances, numbers);
        const part = (isInIt: (index: number) => boolean) => ({
          timestampsMs: all.timestampsMs.filter((_, index) => isInIt(index)),
          values: all.values.filter((_, index) => isInIt(index)),
        });
        const parts = [part((index) => index % nth === 0), part((index) => index % nth !== 0)];
        const joined = joinBuckets(
          parts.map((each) => gatherBuckets(each, 500)),
          500,
        );
        const whole = gatherBuckets(all, 500);
        expect(joined.timestampsMs).toEqual(whole.timestampsMs);
        for (const name of ["count", "sum", "min", "max", "last"] as const)
          expect(joined.parts[name], name).toEqual(whole.parts[name]);
      }),
    );
  });

  it("let a counter grow by exactly what its samples grew, whatever resets there were", () => {
    assert(
      property(steps, values, (distances, numbers) => {
        const all = column(
          distances,
          numbers.map((each) => each + 1),
        );
        const buckets = gatherBuckets(all, 10_000);
        const view = viewBuckets(buckets, hints("increase", 10_000, 20_000), 10_000);
        const [first = 0] = all.values;
        expect(increaseOf(Float64Array.of(first, ...view.values))).toBe(increaseOf(all.values));
      }),
    );
  });

  it("ignore what is no number", () => {
    const timestampsMs = Float64Array.of(1, 2, 3);
    const buckets = gatherBuckets({ timestampsMs, values: Float64Array.of(NaN, 4, NaN) }, 10);
    expect(buckets.parts.count).toEqual(Float64Array.of(1));
    expect(buckets.parts.max).toEqual(Float64Array.of(4));
  });
});

describe("the planner", () => {
  it.each([
    ["rate", MINUTE_MS, 5 * MINUTE_MS, MINUTE_MS],
    ["rate", DAY_MS, DAY_MS, HOUR_MS],
    ["rate", DAY_MS, 2 * DAY_MS, DAY_MS],
    ["max_over_time", HOUR_MS, DAY_MS, HOUR_MS],
    ["avg_over_time", 20 * MINUTE_MS, HOUR_MS, 15 * MINUTE_MS],
    ["quantile_over_time", DAY_MS, DAY_MS, 0],
    ["rate", 15_000, 5 * MINUTE_MS, 0],
    ["rate", 0, DAY_MS, 0],
    ["sum", DAY_MS, 0, 5 * MINUTE_MS],
    ["", 30_000, 0, 0],
  ])("for %s, step %i and range %i takes buckets of %i", (name, stepMs, rangeMs, expected) => {
    expect(desiredResolution(hints(name, stepMs, rangeMs), RESOLUTIONS)).toBe(expected);
  });

  const block = (resolutionMs: number, minMs: number, maxMs: number, appliedRules: string[] = []) => ({
    meta: { resolutionMs, minMs, maxMs, appliedRules, isImported: false },
  });
  const imported = (resolutionMs: number, minMs: number, maxMs: number) => ({
    meta: { ...block(resolutionMs, minMs, maxMs).meta, isImported: true },
  });
  const plan = (blocks: ReturnType<typeof block>[], stepMs: number, rangeMs: number) =>
    planReads(blocks, { range: { fromMs: 0, beforeMs: 100 }, hints: hints("rate", stepMs, rangeMs) }).map(
      (each) => [each.block.meta.resolutionMs, each.range.fromMs, each.range.beforeMs],
    );

  it("reads samples where there are any, and coarser buckets for what is older", () => {
    const blocks = [block(0, 60, 100), block(1, 30, 90), block(5, 0, 80)];
    expect(plan(blocks, 0, 5)).toEqual([
      [0, 60, 100],
      [1, 30, 60],
      [5, 0, 30],
    ]);
  });

  it("reads buckets where they serve, and finer ones for what is newer", () => {
    const blocks = [block(0, 60, 100), block(1, 30, 90), block(5, 0, 80)];
    expect(plan(blocks, 10, 10)).toEqual([
      [5, 0, 80],
      [1, 80, 90],
      [0, 90, 100],
    ]);
  });

  it("reads a block with an import beside all others, and all others beside it", () => {
    expect(plan([imported(0, 0, 60), block(1, 0, 100), block(5, 0, 100), imported(5, 0, 60)], 0, 5)).toEqual([
      [0, 0, 60],
      [1, 0, 100],
      [5, 0, 60],
    ]);
  });

  it("looks elsewhere too for the time of a block that rules took series out of", () => {
    expect(plan([block(0, 0, 100, ["short"]), block(1, 0, 100)], 0, 5)).toEqual([
      [0, 0, 100],
      [1, 0, 100],
    ]);
  });
});

describe("a store with tiers", () => {
  const requests = named("requests");
  const isRequests = [equal("__name__", "requests")];

  async function overDays(settings: Parameters<typeof openTestStore>[0] = {}) {
    const test = openTestStore({ blockMs: DAY_MS, ...settings });
    const rows = Array.from({ length: 3 * 24 * 60 }, (_, index): [number, number] => [
      START_MS + index * MINUTE_MS,
      (index % 1000) * 2,
    ]);
    test.fill(requests, rows);
    test.fill(named("audit"), rows);
    await test.store.maintain();
    return { test, rows };
  }

  it("reads a hundred times fewer samples for a wide step, and finds the same extremes", async () => {
    const { test, rows } = await overDays();
    using _ = test;
    const range = { fromMs: START_MS + HOUR_MS, toMs: START_MS + 48 * HOUR_MS };
    const wide = rowsOf(test.read(isRequests, range, hints("max_over_time", DAY_MS, DAY_MS))[0]);
    const raw = rows.filter(([timeMs]) => timeMs > range.fromMs && timeMs <= range.toMs);
    expect(wide.length).toBeLessThan(raw.length / 50);
    expect(Math.max(...wide.map(([, value]) => value))).toBe(Math.max(...raw.map(([, value]) => value)));
    expect(rowsOf(test.read(isRequests, range)[0]).length).toBe(raw.length + 1);
  });

  it("answers from coarser buckets when the samples are gone, for ranges and for instants", async () => {
    const { test } = await overDays();
    using _ = test;
    test.clock.nowMs = START_MS + 40 * DAY_MS;
    await test.store.maintain();
    expect(new Set(test.store.status().blocks.map((each) => each.resolutionMs))).not.toContain(0);
    const range = { fromMs: START_MS + HOUR_MS, toMs: START_MS + 24 * HOUR_MS };
    const five = rowsOf(test.read(isRequests, range, hints("rate", 15_000, HOUR_MS))[0]);
    expect(five.length).toBeGreaterThan(12 * 22);
    test.clock.nowMs = START_MS + 300 * DAY_MS;
    await test.store.maintain();
    const instants = rowsOf(test.read(isRequests, range, hints("", 15_000, 0))[0]);
    const gaps = instants.slice(1).map(([timeMs], index) => timeMs - (instants[index]?.[0] ?? 0));
    expect(Math.max(...gaps)).toBeLessThan(5 * MINUTE_MS);
  });

  it("keeps series for a time of their own", async () => {
    const rule = {
      name: "audit for longer",
      matchers: [equal("__name__", "audit")],
      keepMs: new Map([[0, 100 * DAY_MS]]),
    };
    const { test, rows } = await overDays({ retentionRules: [rule] });
    using _ = test;
    test.clock.nowMs = START_MS + 40 * DAY_MS;
    await test.store.maintain();
    const range = { fromMs: START_MS, toMs: START_MS + 24 * HOUR_MS };
    expect(rowsOf(test.read([equal("__name__", "audit")], range)[0])).toEqual(
      rows.filter(([timeMs]) => timeMs <= range.toMs),
    );
    const others = rowsOf(test.read(isRequests, range)[0]);
    expect(others.length).toBeGreaterThan(200);
    expect(others.length).toBeLessThan(1000);
    test.reopen();
    expect(rowsOf(test.read(isRequests, range)[0])).toEqual(others);
  });

  it("drops the oldest blocks of a tier beyond its bytes", async () => {
    const { test } = await overDays({
      tiers: [
        { resolutionMs: 0, keepMs: 15 * DAY_MS, keepBytes: 1 },
        { resolutionMs: HOUR_MS, keepMs: 15 * DAY_MS, keepBytes: Infinity },
      ],
    });
    using _ = test;
    await test.store.maintain();
    expect(new Set(test.store.status().blocks.map((each) => each.resolutionMs))).toEqual(new Set([HOUR_MS]));
  });
});
