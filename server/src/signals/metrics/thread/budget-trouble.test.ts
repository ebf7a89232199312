import { createLabels } from "@mainstay/metrics/model";
import { DEFAULT_LIMITS, openMetricsStore, type CardinalityBudget } from "@mainstay/metrics/tsdb";
import * as fs from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";
import { createTemporaryDirectory } from "../../../../../tests/support/temporary.ts";
import { createVirtualClock } from "../../../kernel/clock.ts";
import { watchBudgets } from "./budget-trouble.ts";

const START_MS = 1_800_000_000_000;
const LOOK_MS = 10_000;

function open(budget: Partial<CardinalityBudget>) {
  const directory = createTemporaryDirectory();
  const clock = createVirtualClock(START_MS);
  const store = openMetricsStore({
    ...{ disk: fs, directory: directory.path, pause: async () => {} },
    clock: { now: () => clock.now().getTime() },
    budget: { ...DEFAULT_LIMITS.budget, ...budget },
  });
  const told: (string | null)[] = [];
  const crowdedOut = { count: 0, metric: "" };
  const statsd = { crowdedOut: () => crowdedOut };
  const stop = watchBudgets({ store, statsd, clock, tell: (trouble) => told.push(trouble) });
  onTestFinished(async () => {
    stop();
    await store.close();
    directory.remove();
  });
  const send = (metric: string, labels: Record<string, string>, isReserved = false) =>
    store.resolve(createLabels(Object.entries({ __name__: metric, ...labels })), { isReserved });
  return { clock, told, crowdedOut, send };
}

describe("what budgets refuse", () => {
  it("is told once, with the metric, the label that did it and what to do, and when it is over", async () => {
    const { clock, told, send } = open({ seriesPerMetric: 2 });
    await clock.advance(LOOK_MS);
    for (const user of ["a", "b", "c"]) send("logins", { user, host: "one" });
    await clock.advance(3 * LOOK_MS);
    expect(told).toEqual([
      "logins has as many series as metrics.cardinality.perMetric allows, by its label user. " +
        "Leave that label out where it is sent, or raise the setting; `mainstay metrics top` shows what is largest",
    ]);
    await clock.advance(5 * 60_000);
    expect(told.slice(1)).toEqual([null]);
  });

  it("begins with Mainstay's own series, and names what takes the room", async () => {
    const { clock, told, send } = open({ series: 3, reservedSeries: 1 });
    for (const id of ["a", "b", "c", "d"]) send("junk", { id });
    for (const arm of ["stable", "candidate"]) send("mainstay_own", { arm }, true);
    await clock.advance(LOOK_MS);
    expect(told[0]).toMatch(
      /^Mainstay's own new series, such as those of mainstay_own, so that gates may find no data: /,
    );
    expect(told[0]).toContain("metrics.cardinality.series allows, most are of junk, by its label id");
  });

  it("is one cause for one label, and not more than can be read", async () => {
    const { clock, told, send } = open({ valuesPerLabel: 8, labelsPerSeries: 2, valueCharacters: 10 });
    for (let id = 0; id < 9; id++) send("one", { id: String(id) });
    for (const metric of ["two", "three"]) send(metric, { id: "new" });
    for (const metric of ["a", "b", "c"]) send(metric, { x: "1", y: "1" });
    send("long", { path: "/".repeat(11) });
    await clock.advance(LOOK_MS);
    expect(told[0]?.match(/the label id, such as of/g)).toHaveLength(1);
    expect(told[0]).toMatch(/; and \d more are over a limit\. /);
  });

  it("may be lines of StatsD", async () => {
    const { clock, told, crowdedOut } = open({});
    await clock.advance(LOOK_MS);
    Object.assign(crowdedOut, { count: 4, metric: "clicks_total" });
    await clock.advance(LOOK_MS);
    expect(told[0]).toMatch(
      /^StatsD brings more series than metrics.statsd.series allows, such as clicks_total/,
    );
    await clock.advance(6 * 60_000);
    expect(told.at(-1)).toBeNull();
  });
});
