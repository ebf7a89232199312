import type { QueryResult, VectorSample } from "@mainstay/metrics";
import { createLabels } from "@mainstay/metrics/model";
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

function storeOf(answers: {
  free: VectorSample[];
  size: VectorSample[];
  line: VectorSample[];
  slope: VectorSample[];
}) {
  return {
    async query({ query }: { query: string }): Promise<QueryResult> {
      const isOfWindow = query.includes("[21600000ms]");
      const kind = query.startsWith("predict_linear") ? "line" : query.startsWith("deriv") ? "slope" : "free";
      const samples = query.includes("size_bytes") ? answers.size : answers[kind];
      expect(isOfWindow).toBe(kind !== "free");
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
