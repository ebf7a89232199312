import type { ChangeView } from "../../core/changes/index.ts";
import { NO_LABELS } from "@mainstay/metrics";
import { expect, it } from "vitest";
import { silentLog } from "../../../../tests/support/log.ts";
import { createVirtualClock } from "../../kernel/clock.ts";
import { createComparisons, withComparisons } from "./comparisons.ts";

const CHANGE = {
  ...{ id: "chg_1", kind: "release", service: "shop", environment: "production" },
  ...{ candidate: "rel_2", stable: "rel_1", position: { stage: 0 } },
} as ChangeView;
const QUESTION = { kind: "comparison", bad: "bad $release", total: "total $release" } as const;

function setUp() {
  const counters: Record<string, number[]> = {};
  const clock = createVirtualClock(1_000_000);
  const asked: (number | undefined)[] = [];
  const store = {
    async query({ query, timeMs = 0 }: { query: string; timeMs?: number }) {
      asked.push(timeMs);
      const samples = (counters[query] ?? []).map((value) => ({ labels: NO_LABELS, value }));
      return { value: { type: "vector" as const, timeMs, samples }, warnings: [], infos: [] };
    },
  };
  const comparisons = createComparisons({ store, clock, log: silentLog });
  const count = (candidate: number[], stable: number[]) => {
    const [[cb, ct], [sb, st]] = [candidate, stable];
    Object.assign(counters, {
      "bad rel_2": [cb],
      "total rel_2": [ct],
      "bad rel_1": [sb],
      "total rel_1": [st],
    });
  };
  const ask = async () => {
    await clock.advance(10_000);
    return comparisons.ask(CHANGE, "checkout", QUESTION);
  };
  return { counters, comparisons, count, ask, asked };
}

it("what both counters rose by goes to the judge, each event once, of both arms at one moment", async () => {
  const { comparisons, count, ask, asked } = setUp();
  count([1, 100], [3, 900]);
  await ask();
  expect(comparisons.blocks("chg_1", "checkout", 0)).toEqual([]);
  count([4, 120], [3, 1080]);
  expect(await ask()).toMatchObject({ values: [{ value: 120 }] });
  const signal = withComparisons(
    { counts: () => Promise.reject(new Error()), onNews: () => () => {} },
    comparisons,
  );
  const metric = { name: "counts", gate: "checkout" } as const;
  const blocks = await signal.counts({ change: CHANGE, metric, sinceMs: 0 });
  expect(blocks).toMatchObject([{ fromMs: 1_010_000, atMs: 1_020_000 }]);
  const sum = (counts: number[] = []) => counts.reduce((total, each) => total + each, 0);
  expect([sum(blocks[0]?.candidate.bad), sum(blocks[0]?.candidate.total)]).toEqual([3, 20]);
  expect([sum(blocks[0]?.stable.bad), sum(blocks[0]?.stable.total)]).toEqual([0, 180]);
  expect(new Set(asked.slice(-4)).size).toBe(1);
  expect(await signal.counts({ change: CHANGE, metric, sinceMs: 1_020_000 })).toEqual([]);
});

it("says which counter is missing, or is more than one", async () => {
  const { counters, count, ask } = setUp();
  expect(await ask()).toEqual({ none: "bad of the stable release found nothing" });
  count([1, 100], [3, 900]);
  counters["total rel_2"] = [1, 2];
  expect(await ask()).toEqual({ none: "total of the candidate release found 2 series: sum them up" });
});
