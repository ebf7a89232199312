import { expect, test } from "vitest";
import { metricsFaults, type DemoMetrics } from "./metrics-check.ts";
import type { ActResult } from "./scenario.ts";

const ACT: Omit<ActResult, "title" | "change"> = {
  ...{ expected: "succeeded", undoneBy: null, ended: "succeeded", by: "clock", reason: "" },
  ...{ verdictAfterSeconds: null, restoredAfterSeconds: null, tookSeconds: 9 },
};
const FIRST: ActResult = { ...ACT, title: "the first release", change: "chg_1" };
const SECOND: ActResult = { ...ACT, title: "a good release", change: "chg_2" };
const METRICS: DemoMetrics = {
  requests: 1000,
  arms: [{ change: "chg_2", arm: "candidate", requests: 120, errors: 0 }],
  openFiles: { resultType: "matrix", result: [] },
};

test("as many requests as clients sent, and every change that was compared, are in the store", () => {
  expect(metricsFaults(METRICS, [FIRST, SECOND], 1000)).toEqual([]);
});

test("requests and changes that the store does not know are told", () => {
  const arms = [{ change: "chg_2", arm: "candidate", requests: 0, errors: 0 }];
  expect(metricsFaults({ ...METRICS, arms }, [FIRST, SECOND], 1001)).toEqual([
    "the metrics store counts 1000 of 1001 requests",
    "the metrics store knows nothing of a good release",
  ]);
});
