import { NO_BUCKETS, NO_LABELS, type Buckets, type Histogram } from "@mainstay/metrics/model";
import { expect, it } from "vitest";
import { resultJson } from "./result-json.ts";

const ONE: Buckets = { indexes: Int32Array.of(1), counts: Float64Array.of(4) };
const PLAIN: Histogram = {
  ...{ schema: 0, count: 4, sum: 2, zeroThreshold: 0, zeroCount: 0, customBounds: [], resetHint: "unknown" },
  ...{ positive: NO_BUCKETS, negative: NO_BUCKETS },
};

function bucketsOf(parts: Partial<Histogram>): unknown {
  const samples = [{ labels: NO_LABELS, value: { ...PLAIN, ...parts } }];
  const text = resultJson({ type: "vector", timeMs: 0, samples }, { timeMs: 0, statistics: null });
  return /"buckets":(.*\]\])/.exec(text)?.[1];
}

it("says which ends of a bucket belong to it", () => {
  expect(bucketsOf({ positive: ONE })).toBe('[[0,"1","2","4"]]');
  expect(bucketsOf({ negative: ONE })).toBe('[[1,"-2","-1","4"]]');
  expect(bucketsOf({ zeroCount: 3, zeroThreshold: 0.5 })).toBe('[[3,"-0.5","0.5","3"]]');
  expect(bucketsOf({ zeroCount: 3 })).toBe('[[3,"-0","0","3"]]');
});

it("knows the ends of buckets with bounds of their own", () => {
  const custom = { schema: -53, customBounds: [-1, 1] };
  const all: Buckets = { indexes: Int32Array.of(0, 1, 2), counts: Float64Array.of(1, 2, 3) };
  expect(bucketsOf({ ...custom, positive: all })).toBe(
    '[[3,"-Inf","-1","1"],[0,"-1","1","2"],[0,"1","+Inf","3"]]',
  );
});
