import * as fs from "node:fs";
import {
  mkdirSync,
  readdirSync,
  rmSync,
  writeFileSync,
  truncateSync,
  appendFileSync,
  readFileSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isStaleAt, setStaleAt } from "../stale.ts";
import { createSampleBatch } from "./batch.ts";
import {
  DAY_MS,
  equal,
  HOUR_MS,
  named,
  MINUTE_MS,
  openTestStore,
  rowsOf,
  scrapes,
  START_MS,
} from "./testing/test-store.ts";

const up = named("up", { job: "api", instance: "a:1" });
const isUp = [equal("__name__", "up")];

describe("a metrics store", () => {
  it("answers what was appended, over open samples, sealed chunks and blocks", async () => {
    using test = openTestStore();
    const rows = scrapes(2000, (index) => index * 3);
    test.fill(up, rows);
    expect(rowsOf(test.read(isUp)[0])).toEqual(rows);
    await test.store.maintain();
    expect(test.store.status().counts.cuts).toBe(3);
    expect(test.store.status().blocks.length).toBeGreaterThan(0);
    const [series, ...others] = test.read(isUp);
    expect(others).toEqual([]);
    expect(series?.labels).toBe(test.store.series({ fromMs: 0, toMs: 1e15, selectors: [isUp] })[0]);
    expect(rowsOf(series)).toEqual(rows);
    const middle = { fromMs: START_MS + HOUR_MS, toMs: START_MS + 3 * HOUR_MS };
    expect(rowsOf(test.read(isUp, middle)[0])).toEqual(
      rows.filter(([timeMs]) => timeMs >= middle.fromMs && timeMs <= middle.toMs),
    );
  });

  it("answers the same after a restart, before and after blocks are cut", async () => {
    using test = openTestStore();
    const rows = scrapes(1000, (index) => Math.sin(index));
    test.fill(up, rows);
    test.reopen();
    expect(rowsOf(test.read(isUp)[0])).toEqual(rows);
    await test.store.maintain();
    test.reopen();
    expect(rowsOf(test.read(isUp)[0])).toEqual(rows);
    const more = scrapes(10, (index) => index, START_MS + 15_000 * 1000);
    test.fill(up, more);
    test.reopen();
    expect(rowsOf(test.read(isUp)[0])).toEqual([...rows, ...more]);
  });

  it("keeps staleness markers through log, chunks and blocks", async () => {
    using test = openTestStore();
    const resolution = test.store.resolve(up);
    const batch = createSampleBatch(1);
    batch.refs[0] = "ref" in resolution ? resolution.ref : 0;
    batch.timestampsMs[0] = START_MS;
    setStaleAt(batch.values, 0);
    batch.count = 1;
    test.store.append({ samples: batch });
    const isMarked = () => {
      const values = test.read(isUp)[0]?.floats.values ?? new Float64Array(1);
      return isStaleAt(values, 0);
    };
    expect(isMarked()).toBe(true);
    test.reopen();
    expect(isMarked()).toBe(true);
    test.fill(
      named("other"),
      scrapes(1200, () => 1),
    );
    await test.store.maintain();
    expect(test.store.status().counts.cuts).toBe(2);
    expect(isMarked()).toBe(true);
  });

  it("takes what is late inside the window in its place, and refuses what is later", async () => {
    using test = openTestStore();
    test.fill(
      up,
      scrapes(300, (index) => index).filter((_, index) => index !== 250),
    );
    const lateMs = START_MS + 250 * 15_000;
    expect(test.put(up, lateMs, 250)).toMatchObject({ appended: 1, refused: [] });
    expect(rowsOf(test.read(isUp)[0])).toEqual(scrapes(300, (index) => index));
    const tooOld = test.put(up, START_MS + 1, 1);
    expect(tooOld.refused).toEqual([expect.objectContaining({ index: 0, reason: "too-old" })]);
    expect(test.store.status().counts.refused["too-old"]).toBe(1);
    test.fill(
      named("other"),
      scrapes(1200, () => 1),
    );
    await test.store.maintain();
    test.reopen();
    expect(rowsOf(test.read(isUp)[0])).toEqual(scrapes(300, (index) => index));
  });

  it("takes a repeated sample silently, and refuses another value at the same time", () => {
    using test = openTestStore();
    test.fill(
      up,
      scrapes(200, (index) => index),
    );
    expect(
      test.fill(
        up,
        scrapes(100, (index) => index + 100, START_MS + 1_500_000),
      ),
    ).toEqual({
      appended: 0,
      repeated: 100,
      refused: [],
    });
    for (const index of [199, 150, 120]) {
      const refused = test.put(up, START_MS + 15_000 * index, -1).refused;
      expect(refused).toEqual([expect.objectContaining({ reason: "duplicate" })]);
    }
    expect(rowsOf(test.read(isUp)[0])).toEqual(scrapes(200, (index) => index));
  });

  it("takes NaN for NaN, whatever its bits, and a staleness marker for none of them", () => {
    using test = openTestStore();
    const resolution = test.store.resolve(up);
    const put = (write: (values: Float64Array) => void) => {
      const batch = createSampleBatch(1);
      batch.refs[0] = "ref" in resolution ? resolution.ref : 0;
      batch.timestampsMs[0] = START_MS;
      write(batch.values);
      batch.count = 1;
      const { appended, repeated, refused } = test.store.append({ samples: batch });
      return [appended, repeated, refused.length];
    };
    const ofBits = (low: number) => (values: Float64Array) =>
      new Uint32Array(values.buffer).set([low, 0x7ff8_0000]);
    expect(put(ofBits(1))).toEqual([1, 0, 0]);
    expect(put(ofBits(0))).toEqual([0, 1, 0]);
    expect(put((values) => setStaleAt(values, 0))).toEqual([0, 0, 1]);
  });

  it("says which samples lie ahead of the clock, are none, or belong to no series", () => {
    using test = openTestStore();
    const { store } = test;
    const resolution = store.resolve(up);
    const ref = "ref" in resolution ? resolution.ref : 0;
    const batch = createSampleBatch(4);
    batch.refs.set([ref, ref, 77, ref]);
    batch.timestampsMs.set([START_MS + HOUR_MS, 1.5, START_MS, START_MS]);
    batch.values.set([1, 2, 3, 4]);
    batch.count = 4;
    const { appended, refused } = store.append({ samples: batch });
    expect(appended).toBe(1);
    expect(refused.map(({ index, reason }) => [index, reason])).toEqual([
      [0, "too-far-ahead"],
      [1, "invalid"],
      [2, "unknown-series"],
    ]);
    test.reopen();
    expect(rowsOf(test.read(isUp)[0])).toEqual([[START_MS, 4]]);
  });

  it("remembers exemplars and metadata over a restart and a cut", async () => {
    using test = openTestStore();
    const { store } = test;
    test.fill(
      up,
      scrapes(1, () => 1),
    );
    const resolution = store.resolve(up);
    const ref = "ref" in resolution ? resolution.ref : 0;
    const exemplar = { labels: named("x", { trace_id: "abc" }), timestampMs: START_MS, value: 0.5 };
    const metadata = { metric: "up", type: "gauge", help: "Whether it answers.", unit: "" };
    store.append({ exemplars: [{ ref, ...exemplar }], metadata: [metadata] });
    const check = () => {
      const found = test.store.exemplars({ fromMs: 0, toMs: 1e15, selectors: [isUp] });
      expect(found).toEqual([{ series: up, exemplars: [exemplar] }]);
      expect(test.store.metadata()).toEqual([metadata]);
    };
    check();
    test.reopen();
    check();
    test.fill(
      up,
      scrapes(1200, () => 1, START_MS + 15_000),
    );
    await test.store.maintain();
    test.reopen();
    check();
  });

  it("lists labels and values, and finds series by every kind of matcher", async () => {
    using test = openTestStore();
    for (const job of ["api", "web", "batch"]) {
      for (const code of ["200", "404", "500"]) {
        test.fill(
          named("requests", { job, code }),
          scrapes(1200, (index) => index),
        );
      }
    }
    test.fill(
      up,
      scrapes(1200, () => 1),
    );
    const check = () => {
      const all = { fromMs: 0, toMs: 1e15, selectors: [] };
      expect(test.store.labelNames(all)).toEqual(["__name__", "code", "instance", "job"]);
      expect(test.store.labelValues("code", all)).toEqual(["200", "404", "500"]);
      const web = { ...all, selectors: [[equal("job", "web")]] };
      expect(test.store.labelValues("code", web)).toEqual(["200", "404", "500"]);
      expect(test.store.labelNames(web)).toEqual(["__name__", "code", "job"]);
      const count = (...matchers: [string, "=" | "!=" | "=~" | "!~", string][]) =>
        test.read(matchers.map(([name, operator, value]) => ({ name, operator, value }))).length;
      expect(count(["job", "=", "api"])).toBe(4);
      expect(count(["__name__", "=", "requests"], ["job", "!=", "api"])).toBe(6);
      expect(count(["job", "=~", "api|web"], ["code", "=~", "2.."])).toBe(2);
      expect(count(["job", "=~", "(api|web)"], ["code", "=~", "[45]0[04]"])).toBe(4);
      expect(count(["job", "=~", "b.*"])).toBe(3);
      expect(count(["job", "!~", "b.+"], ["__name__", "=~", "req.+"])).toBe(6);
      expect(count(["code", "=", ""], ["job", "=~", ".+"])).toBe(1);
      expect(count(["nothing", "=", ""])).toBe(10);
      expect(count(["job", "=", "none"])).toBe(0);
      expect(count(["job", "=~", "(a+)+b"])).toBe(0);
    };
    check();
    await test.store.maintain();
    expect(test.store.status().counts.cuts).toBe(2);
    check();
  });

  it("forgets series of the head that have ended, and takes them up again", async () => {
    using test = openTestStore();
    test.fill(
      up,
      scrapes(10, () => 1),
    );
    test.fill(
      named("other"),
      scrapes(1200, () => 1),
    );
    await test.store.maintain();
    expect(test.store.status().head.series).toBe(1);
    const laterMs = START_MS + 5 * HOUR_MS;
    test.put(up, laterMs, 2);
    test.reopen();
    expect(rowsOf(test.read(isUp)[0])).toEqual([...scrapes(10, () => 1), [laterMs, 2]]);
  });

  it("charges what it reads before it decodes it", async () => {
    using test = openTestStore();
    test.fill(
      up,
      scrapes(1200, () => 1),
    );
    await test.store.maintain();
    let samples = 0;
    const budget = { addSamples: (count: number) => void (samples += count), addBytes: () => {} };
    const options = { fromMs: 0, toMs: 1e15, hints: { stepMs: 0, rangeMs: 0, functionName: "" }, budget };
    test.store.select(isUp, options);
    expect(samples).toBe(1200);
    const full = {
      ...budget,
      addSamples: () => {
        throw new Error("the query reads too much");
      },
    };
    expect(() => test.store.select(isUp, { ...options, budget: full })).toThrow("reads too much");
    expect(test.store.status().quarantined).toEqual([]);
  });
});

describe("budgets of series", () => {
  it("let existing series go on, refuse new ones, and say which label did it", () => {
    const few = { seriesPerMetric: 3, valuesPerLabel: 4, labelsPerSeries: 5, valueCharacters: 20 };
    using test = openTestStore({ budget: { series: 100, reservedSeries: 0, ...few } });
    const { store } = test;
    const refusalOf = (name: string, more: Record<string, string>) => {
      const answer = store.resolve(named(name, more));
      return "refusal" in answer ? answer.refusal : null;
    };
    for (const user of ["a", "b", "c"]) expect(refusalOf("logins", { user })).toBeNull();
    expect(refusalOf("logins", { user: "d" })).toMatchObject({ reason: "seriesPerMetric", limit: 3 });
    expect(refusalOf("logouts", { user: "d" })).toBeNull();
    expect(refusalOf("logouts", { user: "e" })).toMatchObject({ reason: "valuesPerLabel", label: "user" });
    expect(refusalOf("x", { a: "1", b: "1", c: "1", d: "1", e: "1" })?.reason).toBe("labelsPerSeries");
    expect(refusalOf("x", { path: "/".repeat(21) })).toMatchObject({
      reason: "valueCharacters",
      label: "path",
    });
    expect(
      test.fill(
        named("logins", { user: "a" }),
        scrapes(5, () => 1),
      ).appended,
    ).toBe(5);
    expect(store.status().counts.refusedSeries).toBe(4);
    expect(store.status().refusedSeries.map(({ metric, count }) => [metric, count])).toContainEqual([
      "logins",
      1,
    ]);
    expect(store.explainMetric("logins")[0]).toEqual({ name: "user", count: 3 });
    expect(store.cardinality(1).seriesByMetric).toEqual([{ name: "logins", count: 3 }]);
  });
});

describe("deleting series", () => {
  it("hides samples in head and blocks at once, and gives their room back when asked to", async () => {
    using test = openTestStore();
    test.fill(
      up,
      scrapes(1200, (index) => index),
    );
    test.fill(
      named("other"),
      scrapes(1200, (index) => index),
    );
    await test.store.maintain();
    const fromMs = START_MS + HOUR_MS;
    const kept = scrapes(1200, (index) => index).filter(([timeMs]) => timeMs < fromMs);
    const touched = await test.store.deleteSamples({ fromMs, toMs: 1e15, selectors: [isUp] });
    expect(touched).toBe(1);
    expect(rowsOf(test.read(isUp)[0])).toEqual(kept);
    test.reopen();
    expect(rowsOf(test.read(isUp)[0])).toEqual(kept);
    await test.store.cleanTombstones();
    expect(rowsOf(test.read(isUp)[0])).toEqual(kept);
    expect(
      test.store
        .status()
        .blocks.filter((each) => each.resolutionMs === 0)
        .map((each) => each.samples),
    ).toEqual([expect.any(Number), 480]);
    expect(rowsOf(test.read([equal("__name__", "other")])[0])).toHaveLength(1200);
    await expect(test.store.deleteSamples({ fromMs: 0, toMs: 1, selectors: [[]] })).rejects.toThrow(
      "which series",
    );
  });
});

describe("a snapshot", () => {
  it("is a store of its own with everything in it", async () => {
    using test = openTestStore();
    test.fill(
      up,
      scrapes(1200, (index) => index),
    );
    await test.store.maintain();
    test.put(named("late"), START_MS + 5 * HOUR_MS, 1);
    const directory = join(test.directory, "snapshot");
    await test.store.snapshot(directory);
    test.put(up, START_MS + 5 * HOUR_MS, 7);
    test.reopen({ directory });
    expect(rowsOf(test.read(isUp)[0])).toEqual(scrapes(1200, (index) => index));
    expect(test.read([equal("__name__", "late")])).toHaveLength(1);
  });
});

describe("blocks over days", () => {
  it("grow together, and leave when their time is over", async () => {
    const tiers = [
      { resolutionMs: 0, keepMs: 15 * DAY_MS, keepBytes: Infinity },
      { resolutionMs: HOUR_MS, keepMs: 400 * DAY_MS, keepBytes: Infinity },
    ];
    using test = openTestStore({ tiers, blockMs: 4 * HOUR_MS });
    const days = 2;
    const rows = Array.from({ length: days * 288 }, (_, index): [number, number] => [
      START_MS + index * 5 * MINUTE_MS,
      index,
    ]);
    for (let at = 0; at < rows.length; at += 200) {
      test.fill(up, rows.slice(at, at + 200));
      await test.store.maintain();
    }
    const raw = () => test.store.status().blocks.filter((each) => each.resolutionMs === 0);
    expect(raw().length).toBeLessThan(10);
    expect(Math.max(...raw().map((each) => each.maxMs - each.minMs))).toBeGreaterThanOrEqual(24 * HOUR_MS);
    expect(rowsOf(test.read(isUp)[0])).toEqual(rows);
    test.reopen();
    expect(rowsOf(test.read(isUp)[0])).toEqual(rows);
    test.clock.nowMs = START_MS + 16.6 * DAY_MS;
    await test.store.maintain();
    expect(raw().every((each) => each.maxMs > START_MS + 1.6 * DAY_MS)).toBe(true);
    expect(test.store.status().counts.expiredBlocks).toBeGreaterThan(0);
  });
});

describe("damage", () => {
  const blocksOf = (directory: string) => readdirSync(join(directory, "store", "blocks"));
  const flipMiddle = (path: string) => {
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1]! ^= 0xff;
    writeFileSync(path, bytes);
  };

  it.each(["pages", "index", "meta.json"])(
    "of %s puts the block aside, and the rest is served",
    async (file) => {
      using test = openTestStore({ tiers: [{ resolutionMs: 0, keepMs: DAY_MS, keepBytes: Infinity }] });
      test.fill(
        up,
        scrapes(1200, (index) => Math.sin(index)),
      );
      await test.store.maintain();
      await test.store.close();
      const [first = "", ...rest] = blocksOf(test.directory);
      expect(rest).toHaveLength(1);
      const path = join(test.directory, "store", "blocks", first, file);
      if (file === "meta.json") writeFileSync(path, "{");
      else flipMiddle(path);
      test.reopen();
      const rows = rowsOf(test.read(isUp)[0]);
      expect(rows).toEqual(scrapes(1200, (index) => Math.sin(index)).slice(480));
      expect(test.store.status().quarantined).toEqual([{ id: first, reason: expect.any(String) }]);
      expect(readdirSync(join(test.directory, "store", "quarantine"))).toEqual([first]);
      test.put(up, START_MS + 6 * HOUR_MS, 5);
      await test.store.maintain();
      expect(rowsOf(test.read(isUp)[0]).at(-1)).toEqual([START_MS + 6 * HOUR_MS, 5]);
    },
  );

  it("of a torn, an empty or a scribbled-on end of the log costs nothing that came before", () => {
    for (const damage of ["cut", "empty", "garbage"] as const) {
      using test = openTestStore();
      const rows = scrapes(50, (index) => index);
      for (const [timeMs, value] of rows) test.put(up, timeMs, value);
      const wal = join(test.directory, "store", "wal");
      const [name = ""] = readdirSync(wal);
      const path = join(wal, name);
      if (damage === "cut") truncateSync(path, statSync(path).size - 3);
      if (damage === "empty") writeFileSync(join(wal, "0000000099.wal"), "");
      if (damage === "garbage") appendFileSync(path, Buffer.alloc(100, 7));
      test.reopen();
      const found = rowsOf(test.read(isUp)[0]);
      expect(found).toEqual(damage === "cut" ? rows.slice(0, -1) : rows);
      expect(test.store.status().replayed.tornSegments).toBe(damage === "empty" ? 0 : 1);
      test.put(up, START_MS + HOUR_MS, 1);
      test.reopen();
      expect(rowsOf(test.read(isUp)[0]).at(-1)).toEqual([START_MS + HOUR_MS, 1]);
    }
  });

  it("of a cut that was interrupted leaves no sample twice", async () => {
    using test = openTestStore();
    test.fill(
      up,
      scrapes(1200, (index) => index),
    );
    const wal = join(test.directory, "store", "wal");
    const before = readdirSync(wal).map((name) => [name, readFileSync(join(wal, name))] as const);
    await test.store.maintain();
    await test.store.close();
    rmSync(wal, { recursive: true });
    mkdirSync(wal);
    for (const [name, bytes] of before) writeFileSync(join(wal, name), bytes);
    test.reopen();
    expect(rowsOf(test.read(isUp)[0])).toEqual(scrapes(1200, (index) => index));
  });

  it("of a log that could not be begun anew after a cut costs nothing of series that come back", async () => {
    let isFull = false;
    const full = () => Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    const renameSync: typeof fs.renameSync = (from, to) => {
      if (isFull && String(to).endsWith(".checkpoint")) throw full();
      fs.renameSync(from, to);
    };
    const disk = { ...fs, fsyncSync: () => {}, fdatasyncSync: () => {}, renameSync };
    using test = openTestStore({ disk });
    test.put(up, START_MS, 1);
    test.put(named("other"), START_MS + 6 * HOUR_MS, 1);
    isFull = true;
    await test.store.maintain().catch(() => {});
    expect(test.store.status().head.series).toBe(1);
    test.put(up, START_MS + 6 * HOUR_MS, 2);
    test.reopen();
    const rows = [
      [START_MS, 1],
      [START_MS + 6 * HOUR_MS, 2],
    ];
    expect(rowsOf(test.read(isUp)[0])).toEqual(rows);
    isFull = false;
    await test.store.maintain();
    test.put(up, START_MS + 7 * HOUR_MS, 3);
    test.reopen();
    expect(rowsOf(test.read(isUp)[0])).toEqual([...rows, [START_MS + 7 * HOUR_MS, 3]]);
  });
});
