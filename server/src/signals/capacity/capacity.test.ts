import type { QueryResult, VectorSample } from "@mainstay/metrics";
import { createLabels, labelValue } from "@mainstay/metrics/model";
import { expect, it } from "vitest";
import { readCapacity } from "./capacity.ts";

const NOW_MS = Date.parse("2026-11-01T12:00:00Z");
const GIB = 1024 ** 3;

function sample(mountpoint: string, value: number): VectorSample {
  return {
    labels: createLabels([
      ["instance", "here"],
      ["mountpoint", mountpoint],
      ["device", "/dev/a"],
    ]),
    value,
  };
}

const WINDOW_S = 21_600;

function storeOf(answers: {
  free: VectorSample[];
  size: VectorSample[];
  line: VectorSample[];
  slope: VectorSample[];
  /** Seconds by disk; the others are seen over the whole window. */
  seenFor?: Record<string, number>;
}) {
  const { seenFor = {} } = answers;
  const first = answers.free.map((each) => {
    const seconds = seenFor[labelValue(each.labels, "mountpoint")] ?? WINDOW_S;
    return { ...each, value: NOW_MS / 1000 - seconds };
  });
  const last = answers.free.map((each) => ({ ...each, value: NOW_MS / 1000 }));
  const ofWindow = {
    predict_linear: answers.line,
    deriv: answers.slope,
    ts_of_first_over_time: first,
    ts_of_last_over_time: last,
  };
  return {
    async query({ query }: { query: string }): Promise<QueryResult> {
      const found = Object.entries(ofWindow).find(([name]) => query.startsWith(`${name}(`));
      expect(query.includes(`[${WINDOW_S * 1000}ms]`)).toBe(found !== undefined);
      const samples = found?.[1] ?? (query.includes("size_bytes") ? answers.size : answers.free);
      return { value: { type: "vector", timeMs: NOW_MS, samples }, warnings: [], infos: [] };
    },
  };
}

it("a disk is full where the line through its free bytes comes to nothing, the first one first", async () => {
  const store = storeOf({
    free: [sample("/", 100 * GIB), sample("/data", 20 * GIB), sample("/new", GIB), sample("/slow", GIB)],
    size: [sample("/", 200 * GIB)],
    line: [sample("/", 101 * GIB), sample("/data", 20 * GIB), sample("/slow", GIB)],
    slope: [sample("/", 5), sample("/data", (-10 * GIB) / 86_400), sample("/slow", -1e-9)],
  });
  const { disks } = await readCapacity(store, { nowMs: NOW_MS, windowMs: 21_600_000 });
  expect(disks.map(({ mountpoint, daysLeft, fullAt }) => [mountpoint, daysLeft, fullAt])).toEqual([
    ["/data", 2, "2026-11-03T12:00:00.000Z"],
    ["/", null, null],
    ["/new", null, null],
    ["/slow", null, null],
  ]);
  expect(disks[1]).toMatchObject({ freeBytes: 100 * GIB, sizeBytes: 200 * GIB, bytesPerDay: 432_000 });
  expect(disks[2]).toMatchObject({ sizeBytes: null, bytesPerDay: null });
});

it("a forecast from less than half of the window is uncertain, and from minutes there is none", async () => {
  const free = [sample("/half", GIB), sample("/little", GIB), sample("/new", GIB)];
  const slope = free.map((each) => ({ ...each, value: -GIB / 86_400 }));
  const seenFor = { "/half": WINDOW_S / 2, "/little": 600, "/new": 299 };
  const store = storeOf({ free, size: [], line: free, slope, seenFor });
  const { disks } = await readCapacity(store, { nowMs: NOW_MS, windowMs: WINDOW_S * 1000 });
  expect(disks).toMatchObject([
    { mountpoint: "/half", coveredMs: 10_800_000, isUncertain: false, daysLeft: 1 },
    { mountpoint: "/little", coveredMs: 600_000, isUncertain: true, daysLeft: 1 },
    { mountpoint: "/new", coveredMs: 299_000, isUncertain: true, daysLeft: null, bytesPerDay: null },
  ]);
});
