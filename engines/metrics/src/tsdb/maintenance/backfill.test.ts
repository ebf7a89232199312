import { describe, expect, it } from "vitest";
import type { FloatColumn } from "../../storage.ts";
import {
  DAY_MS,
  equal,
  HOUR_MS,
  MINUTE_MS,
  named,
  openTestStore,
  rowsOf,
  START_MS,
} from "../testing/test-store.ts";

const up = named("up", { job: "api" });
const isUp = [equal("__name__", "up")];

function columnOf(rows: readonly (readonly [number, number])[]): FloatColumn {
  return {
    timestampsMs: Float64Array.from(rows, ([timeMs]) => timeMs),
    values: Float64Array.from(rows, ([, value]) => value),
  };
}

/** A row a minute from a time on. */
function minutes(fromMs: number, count: number): [number, number][] {
  return Array.from({ length: count }, (_, index) => [fromMs + index * MINUTE_MS, index]);
}

describe("samples of the past", () => {
  it("are answered with those of the head, also after a restart", async () => {
    using test = openTestStore();
    const present = minutes(START_MS, 30);
    test.fill(up, present);
    const borderMs = test.store.sealPast();
    expect(borderMs).toBe(START_MS);
    const past = minutes(START_MS - 5 * DAY_MS, 5 * 24 * 60);
    expect(await test.store.backfill([{ labels: up, floats: columnOf(past) }])).toBe(past.length);
    expect(rowsOf(test.read(isUp)[0])).toEqual([...past, ...present]);
    test.reopen();
    expect(rowsOf(test.read(isUp)[0])).toEqual([...past, ...present]);
  });

  it("stay where they are when the head is cut, blocks are merged and tiers answer", async () => {
    using test = openTestStore();
    const present = minutes(START_MS, 8 * 60);
    test.fill(up, present.slice(0, 60));
    test.store.sealPast();
    const past = minutes(START_MS - 2 * DAY_MS, 2 * 24 * 60);
    await test.store.backfill([{ labels: up, floats: columnOf(past) }]);
    test.fill(up, present.slice(60));
    test.clock.nowMs = START_MS + 8 * HOUR_MS;
    await test.store.maintain();
    expect(rowsOf(test.read(isUp)[0])).toEqual([...past, ...present]);
    const hints = { stepMs: HOUR_MS, rangeMs: 2 * HOUR_MS, functionName: "max_over_time" };
    const range = { fromMs: START_MS - 2 * DAY_MS, toMs: START_MS + 6 * HOUR_MS };
    const coarse = rowsOf(test.read(isUp, range, hints)[0]);
    expect(coarse.length).toBeLessThan(100);
    expect(Math.max(...coarse.filter(([timeMs]) => timeMs < START_MS).map(([, value]) => value))).toBe(2879);
  });

  it("may be brought in several parts, for series that are there and others", async () => {
    using test = openTestStore();
    test.fill(up, minutes(START_MS, 10));
    test.store.sealPast();
    const other = named("up", { job: "other" });
    const [early, late] = [minutes(START_MS - DAY_MS, 60), minutes(START_MS - DAY_MS + HOUR_MS, 60)];
    await test.store.backfill([
      { labels: up, floats: columnOf(late) },
      { labels: other, floats: columnOf(late) },
    ]);
    await test.store.backfill([{ labels: up, floats: columnOf(early) }]);
    const found = test.read(isUp, { fromMs: 0, toMs: START_MS - 1 });
    expect(found.map((series) => rowsOf(series).length).toSorted((a, b) => a - b)).toEqual([60, 120]);
  });

  it("are kept as long as their tier", async () => {
    using test = openTestStore();
    test.store.sealPast();
    const past = minutes(START_MS - 60 * DAY_MS, 3 * 24 * 60);
    await test.store.backfill([{ labels: up, floats: columnOf(past) }]);
    await test.store.maintain();
    const widths = test.store.status().blocks.map((each) => each.resolutionMs);
    expect(widths).not.toContain(0);
    expect(widths).toContain(5 * MINUTE_MS);
    expect(rowsOf(test.read(isUp)[0]).length).toBeGreaterThan(0);
  });

  describe("beside others of their time", () => {
    const pastMs = START_MS - 33 * DAY_MS;
    const wa = named("wa");
    const wb = named("wb");
    const hints = { stepMs: 0, rangeMs: DAY_MS, functionName: "last_over_time" };
    const range = { fromMs: pastMs, toMs: pastMs + 3 * DAY_MS };
    const valuesOf = (test: ReturnType<typeof openTestStore>, name: string) =>
      rowsOf(test.read([equal("__name__", name)], range, hints)[0]);

    it("hide none of the buckets of earlier imports, also of the same series", async () => {
      using test = openTestStore();
      test.store.sealPast();
      const hours = columnOf(minutes(pastMs, 120));
      await test.store.backfill([wa, wb].map((labels) => ({ labels, floats: hours })));
      await test.store.maintain();
      const [a, b] = [valuesOf(test, "wa"), valuesOf(test, "wb")];
      expect(b.length).toBe(25);
      const later: [number, number] = [pastMs + 5 * HOUR_MS, 7];
      await test.store.backfill([
        { labels: wa, floats: columnOf([later]) },
        { labels: named("wc"), floats: columnOf([later]) },
      ]);
      const all = () => ["wa", "wb", "wc"].map((name) => valuesOf(test, name));
      expect(all()).toEqual([[...a, later], b, [later]]);
      await test.store.maintain();
      expect(all()).toEqual([[...a, later], b, [later]]);
    });

    it("hide nothing of what was measured", async () => {
      using test = openTestStore();
      test.fill(wb, minutes(START_MS, 60));
      test.fill(wb, minutes(START_MS + 20 * DAY_MS, 60));
      test.clock.nowMs = START_MS + 33 * DAY_MS;
      await test.store.maintain();
      await test.store.maintain();
      const read = (name: string) =>
        rowsOf(
          test.read([equal("__name__", name)], { fromMs: START_MS - DAY_MS, toMs: START_MS + 3 * DAY_MS })[0],
        );
      const measured = read("wb");
      expect(measured.length).toBeGreaterThan(0);
      test.store.sealPast();
      await test.store.backfill([{ labels: wa, floats: columnOf(minutes(START_MS + HOUR_MS, 60)) }]);
      expect(read("wb")).toEqual(measured);
      await test.store.maintain();
      expect(read("wb")).toEqual(measured);
      expect(read("wa").length).toBeGreaterThan(0);
    });

    it("are told once, however coarse the answer is", async () => {
      using test = openTestStore();
      test.store.sealPast();
      const recentMs = START_MS - 10 * DAY_MS;
      await test.store.backfill([{ labels: wa, floats: columnOf(minutes(recentMs, 600)) }]);
      for (const stepMs of [0, MINUTE_MS, HOUR_MS]) {
        const sums = { stepMs, rangeMs: 2 * HOUR_MS, functionName: "sum_over_time" };
        const day = { fromMs: recentMs, toMs: recentMs + DAY_MS };
        const rows = rowsOf(test.read([equal("__name__", "wa")], day, sums)[0]);
        expect(rows.reduce((sum, [, value]) => sum + value, 0)).toBe((600 * 599) / 2);
      }
    });
  });

  it("end at a border that nothing else crosses any more, restart or not", async () => {
    using test = openTestStore();
    test.put(up, START_MS + MINUTE_MS, 1);
    const borderMs = test.store.sealPast();
    expect(test.put(up, borderMs - 1, 1).refused.map(({ reason }) => reason)).toEqual(["too-old"]);
    const present = [{ labels: up, floats: columnOf([[borderMs, 1]]) }];
    await expect(test.store.backfill(present)).rejects.toThrow("not in the past");
    const unsorted = [
      {
        labels: up,
        floats: columnOf([
          [2, 1],
          [1, 1],
        ]),
      },
    ];
    await expect(test.store.backfill(unsorted)).rejects.toThrow("rise");
    test.reopen();
    expect(test.put(named("new"), borderMs - 1, 1).refused.map(({ reason }) => reason)).toEqual(["too-old"]);
    expect(test.store.sealPast()).toBe(borderMs);
  });

  it("have a border before the hour that late samples may come from, where there are none yet", () => {
    using test = openTestStore();
    test.clock.nowMs = START_MS + 10 * MINUTE_MS;
    expect(test.store.sealPast()).toBe(START_MS - 2 * HOUR_MS);
    expect(test.put(up, START_MS - 5 * MINUTE_MS, 1).appended).toBe(1);
  });
});
