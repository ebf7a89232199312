import fc from "fast-check";
import { appendFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isStaleAt, setStaleAt } from "../../stale.ts";
import { createSampleBatch } from "../batch.ts";
import type { MetricsStore } from "../store.ts";
import { HOUR_MS, MINUTE_MS, named, openTestStore, START_MS, type TestStore } from "../testing/test-store.ts";
import type { LogFollower } from "./follower.ts";

const UP = named("up");

/** Everything that is there now, as `name time value`. */
async function drain(follower: LogFollower): Promise<string[]> {
  const rows: string[] = [];
  for (let frame = follower.next(); frame !== null; frame = follower.next()) {
    await follower.nameSeries(frame);
    const nameOf = (ref: number) => follower.labelsOf(ref)?.values.join("/") ?? "?";
    for (const { refs, timestampsMs, values, count } of frame.samples)
      for (let index = 0; index < count; index++) {
        const value = isStaleAt(values, index) ? "stale" : values[index];
        rows.push(`${nameOf(refs[index] ?? 0)} ${(timestampsMs[index] ?? 0) - START_MS} ${value}`);
      }
  }
  return rows;
}

function follow(store: MetricsStore): LogFollower {
  const [follower] = store.follow(["there"]);
  if (follower === undefined) throw new Error("no follower");
  return follower;
}

function save(follower: LogFollower): void {
  follower.save({ done: { ...follower.position(), items: 0 }, until: null }, { isDurable: true });
}

function logOf({ directory }: TestStore): string[] {
  return readdirSync(join(directory, "store", "wal"));
}

/** Cuts everything that is older than the out-of-order window. */
async function cutAfter(test: TestStore, timeMs: number): Promise<void> {
  test.put(named("now"), timeMs, 0);
  await test.store.maintain();
}

describe("a follower of the log", () => {
  it("hands out what is taken in from now on, with the bits of staleness markers", async () => {
    using test = openTestStore();
    test.put(UP, START_MS, 1);
    const follower = follow(test.store);
    test.put(UP, START_MS + 1, 2);
    const values = Float64Array.of(0);
    setStaleAt(values, 0);
    const answer = test.store.resolve(named("down"));
    const refs = Float64Array.of("ref" in answer ? answer.ref : 0);
    test.store.append({ samples: { refs, timestampsMs: Float64Array.of(START_MS + 2), values, count: 1 } });
    expect(follower.bytesFrom(follower.position())).toBeGreaterThan(0);
    expect(await drain(follower)).toEqual(["up 1 2", "down 2 stale"]);
    expect(follower.bytesFrom(follower.position())).toBe(0);
    test.put(UP, START_MS + 3, 3);
    expect(await drain(follower)).toEqual(["up 3 3"]);
  });

  it("goes on after a crash behind what was saved", async () => {
    using test = openTestStore();
    let follower = follow(test.store);
    test.put(UP, START_MS, 1);
    await drain(follower);
    save(follower);
    test.put(UP, START_MS + 1, 2);
    await drain(follower);
    follower = follow(test.reopen());
    test.put(UP, START_MS + 2, 3);
    expect(follower.hasGap).toBe(false);
    expect(await drain(follower)).toEqual(["up 1 2", "up 2 3"]);
  });

  it("passes over what is torn at the end of a segment", async () => {
    using test = openTestStore({ segmentBytes: 64 });
    let follower = follow(test.store);
    for (let at = 0; at < 5; at++) test.put(UP, START_MS + at, at);
    await test.store.close();
    const torn = logOf(test).findLast((name) => name.endsWith(".wal")) ?? "";
    appendFileSync(join(test.directory, "store", "wal", torn), "half a frame");
    follower = follow(test.reopen());
    test.put(UP, START_MS + 5, 5);
    expect(await drain(follower)).toEqual([0, 1, 2, 3, 4, 5].map((at) => `up ${at} ${at}`));
  });

  it("keeps what it has not read when the log is cut, and lets it go when it has", async () => {
    using test = openTestStore({ segmentBytes: 256 });
    const follower = follow(test.store);
    for (let at = 0; at < 50; at++) test.put(UP, START_MS + at, at);
    const before = logOf(test);
    await cutAfter(test, START_MS + 3 * HOUR_MS);
    expect(test.store.status().counts.cuts).toBe(1);
    expect(logOf(test)).toEqual(expect.arrayContaining(before));
    expect(await drain(follower)).toHaveLength(51);
    expect(logOf(test)).toEqual(expect.arrayContaining(before));
    save(follower);
    expect(logOf(test).filter((name) => before.includes(name))).toEqual([]);
  });

  it("does not make a start read what is kept for it alone", async () => {
    using test = openTestStore();
    follow(test.store);
    test.put(UP, START_MS, 1);
    await cutAfter(test, START_MS + 3 * HOUR_MS);
    const store = test.reopen();
    follow(store);
    expect(store.status().replayed).toMatchObject({ segments: 1, unknownSeries: 0 });
    expect(test.read([])).toHaveLength(2);
  });

  it("knows the names of series that have ended since, also after a crash", async () => {
    using test = openTestStore();
    let follower = follow(test.store);
    test.put(named("gone", { id: "1" }), START_MS, 1);
    await cutAfter(test, START_MS + 3 * HOUR_MS);
    test.put(named("gone", { id: "2" }), START_MS + 3 * HOUR_MS, 2);
    await cutAfter(test, START_MS + 6 * HOUR_MS);
    follower = follow(test.reopen());
    test.put(named("new"), START_MS + 6 * HOUR_MS, 3);
    expect(await drain(follower)).toEqual([
      "gone/1 0 1",
      `now ${3 * HOUR_MS} 0`,
      `gone/2 ${3 * HOUR_MS} 2`,
      `now ${6 * HOUR_MS} 0`,
      `new ${6 * HOUR_MS} 3`,
    ]);
  });

  it("knows them when they end while it reads", async () => {
    using test = openTestStore();
    const follower = follow(test.store);
    test.put(named("gone"), START_MS, 1);
    test.put(named("gone"), START_MS + 1, 2);
    follower.next();
    await cutAfter(test, START_MS + 3 * HOUR_MS);
    expect((await drain(follower))[0]).toBe("gone 1 2");
  });

  it("does not hand out what was late, double or there already", async () => {
    using test = openTestStore();
    const follower = follow(test.store);
    test.fill(UP, [
      [START_MS + HOUR_MS, 1],
      [START_MS + HOUR_MS, 1],
      [START_MS + HOUR_MS, 2],
      [START_MS, 3],
      [START_MS + HOUR_MS - MINUTE_MS, 4],
    ]);
    expect(await drain(follower)).toEqual([`up ${HOUR_MS} 1`, `up ${HOUR_MS - MINUTE_MS} 4`]);
  });

  it("leaves what others of another name kept to be removed", async () => {
    using test = openTestStore();
    follow(test.store);
    const store = test.reopen();
    store.follow([]);
    test.put(UP, START_MS, 1);
    await cutAfter(test, START_MS + 3 * HOUR_MS);
    expect(logOf(test)).toHaveLength(1);
    expect(readdirSync(join(test.directory, "store", "followers"))).toEqual([]);
  });

  it("says that something is gone which it had not read", async () => {
    using test = openTestStore();
    let follower = follow(test.store);
    test.put(UP, START_MS, 1);
    follower.next();
    save(follower);
    follower.letGo({ segment: Infinity, offset: 0 });
    await cutAfter(test, START_MS + 3 * HOUR_MS);
    follower = follow(test.reopen());
    expect(follower.hasGap).toBe(true);
    test.put(UP, START_MS + 3 * HOUR_MS, 2);
    expect(await drain(follower)).toEqual([`up ${3 * HOUR_MS} 2`]);
  });

  it("begins anew when its log was taken away", async () => {
    using test = openTestStore();
    let follower = follow(test.store);
    for (let at = 0; at < 5; at++) test.put(UP, START_MS + at, at);
    await drain(follower);
    save(follower);
    await test.store.close();
    rmSync(join(test.directory, "store", "wal"), { recursive: true });
    follower = follow(test.reopen());
    expect(follower.hasGap).toBe(true);
    test.put(UP, START_MS + 10, 10);
    expect(await drain(follower)).toEqual(["up 10 10"]);
  });

  it("hands out everything at least once, under its name, whatever happens", async () => {
    const act = fc.oneof(
      { weight: 6, arbitrary: fc.record({ act: fc.constant("put"), id: fc.nat(5) }) },
      { weight: 2, arbitrary: fc.record({ act: fc.constantFrom("read", "readAll", "save"), id: fc.nat(3) }) },
      { weight: 1, arbitrary: fc.record({ act: fc.constantFrom("cut", "crash"), id: fc.nat(1) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 60 }), async (acts) => {
        using test = openTestStore({ segmentBytes: 128, blockMs: HOUR_MS, outOfOrderMs: 0 });
        let follower = follow(test.store);
        const put = new Set<string>();
        const seen = new Set<string>();
        let timeMs = START_MS;
        const take = (rows: string[]) => rows.forEach((row) => seen.add(row));
        for (const { act: name, id } of acts) {
          timeMs += 10 * MINUTE_MS;
          if (name === "put") {
            test.put(named(`s${id}`), timeMs, id);
            put.add(`s${id} ${timeMs - START_MS} ${id}`);
          } else if (name === "read") {
            const frame = follower.next();
            if (frame) {
              await follower.nameSeries(frame);
              const [batch = createSampleBatch(0)] = frame.samples;
              const labels = follower.labelsOf(batch.refs[0] ?? 0)?.values.join("/") ?? "?";
              take([`${labels} ${(batch.timestampsMs[0] ?? 0) - START_MS} ${batch.values[0]}`]);
            }
          } else if (name === "readAll") take(await drain(follower));
          else if (name === "save") save(follower);
          else if (name === "cut") await test.store.maintain();
          else follower = follow(test.reopen());
        }
        take(await drain(follower));
        expect([...seen].toSorted()).toEqual([...put].toSorted());
      }),
      { numRuns: 60 },
    );
  });
});
