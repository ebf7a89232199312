import { describe, expect, it } from "vitest";
import { createQueryLog, type AskedQuery } from "./query-log.ts";

const HOUR_MS = 3_600_000;
const UP: AskedQuery = { query: "up", rangeMs: 0, durationMs: 2, samples: 10, atMs: HOUR_MS };

describe("what queries cost", () => {
  it("adds up what is asked again, and tells ranges apart", () => {
    const log = createQueryLog();
    log.note(UP);
    log.note({ ...UP, durationMs: 5, atMs: 2 * HOUR_MS });
    log.note({ ...UP, rangeMs: 60_000 });
    const [both, range] = log.costs(0);
    expect(both).toEqual({
      ...{ query: "up", rangeMs: 0, count: 2, sumMs: 7, longestMs: 5, samples: 20, lastAtMs: 2 * HOUR_MS },
    });
    expect(range).toMatchObject({ rangeMs: 60_000, count: 1 });
  });

  it("leaves out hours before the one that is asked for, and forgets after a day", () => {
    const log = createQueryLog();
    log.note(UP);
    log.note({ ...UP, query: "down", atMs: 30 * HOUR_MS });
    expect(log.costs(0).map(({ query }) => query)).toEqual(["down"]);
    expect(log.costs(31 * HOUR_MS)).toEqual([]);
    expect(log.costs(30.5 * HOUR_MS)).toHaveLength(1);
  });

  it("forgets the cheapest of an hour of many queries, and cuts long ones", () => {
    const log = createQueryLog();
    log.note({ ...UP, query: "x".repeat(5000), durationMs: 900 });
    for (let count = 0; count < 600; count++)
      log.note({ ...UP, query: `q${count}`, durationMs: 600 - count });
    const costs = log.costs(0);
    expect(costs).toHaveLength(500);
    expect(costs.map(({ query }) => query)).toEqual(expect.arrayContaining([`${"x".repeat(1000)}…`, "q0"]));
    expect(costs.some(({ query }) => query === "q550")).toBe(false);
  });
});
