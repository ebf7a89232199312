import fc from "fast-check";
import { isStaleAt, setStaleAt } from "@mainstay/metrics/model";
import type { FollowedFrame } from "@mainstay/metrics/tsdb";
import { describe, expect, it } from "vitest";
import { createOutgoingBatch, itemsOf, type OutgoingBatch, type Taking } from "./outgoing-batch.ts";

const NOWHERE = { segment: 1, offset: 0 };
const HISTOGRAM: FollowedFrame["histograms"][number]["value"] = {
  ...{ schema: 0, count: 1, sum: 1, zeroThreshold: 0, zeroCount: 1, customBounds: [], resetHint: "unknown" },
  positive: { indexes: new Int32Array(0), counts: new Float64Array(0) },
  negative: { indexes: new Int32Array(0), counts: new Float64Array(0) },
};

type Row = readonly [ref: number, timeMs: number, value: number];

function frameOf(rows: readonly Row[], histograms: readonly [number, number][] = []): FollowedFrame {
  const column = (at: 0 | 1 | 2) => Float64Array.from(rows, (row) => row[at]);
  return {
    ...{ start: NOWHERE, end: NOWHERE, exemplars: [], isDamaged: false },
    samples: [{ refs: column(0), timestampsMs: column(1), values: column(2), count: rows.length }],
    histograms: histograms.map(([ref, timestampMs]) => ({ ref, timestampMs, value: HISTOGRAM })),
  };
}

function taking(more: Partial<Taking> = {}): Taking & { dropped: Record<string, number> } {
  const dropped: Record<string, number> = {};
  return {
    nameOf: (ref) => ({ labels: { names: ["__name__"], values: [`s${ref}`] }, metadata: null }),
    ...{ sendsExemplars: true, sendsNativeHistograms: true, dropped },
    drop: (reason, samples) => (dropped[reason] = (dropped[reason] ?? 0) + samples),
    ...more,
  };
}

/** What is sent, series by series. */
function rowsOf(batch: OutgoingBatch): string[] {
  return batch.series().flatMap(({ labels, timestampsMs, values, from = 0, to = 0, histograms = [] }) => [
    ...Array.from({ length: to - from }, (_, nth) => {
      const value = isStaleAt(values, from + nth) ? "stale" : values[from + nth];
      return `${labels.values[0]} ${timestampsMs[from + nth]} ${value}`;
    }),
    ...histograms.map(({ timestampMs }) => `${labels.values[0]} ${timestampMs} histogram`),
  ]);
}

describe("a batch of what is sent", () => {
  it("holds the samples of each series in the order of time, with the bits of staleness markers", () => {
    const frame = frameOf([
      [1, 20, 2],
      [2, 5, 7],
      [1, 10, 1],
      [1, 30, 0],
    ]);
    const [columns] = frame.samples;
    if (columns) setStaleAt(columns.values, 3);
    const batch = createOutgoingBatch(10, taking());
    expect(batch.take(frame, 0)).toBe(4);
    expect(rowsOf(batch)).toEqual(["s1 10 1", "s1 20 2", "s1 30 stale", "s2 5 7"]);
    expect(batch.newestMs()).toBe(30);
  });

  it("leaves out what is too old, and series of which nothing is left", () => {
    const batch = createOutgoingBatch(10, taking());
    batch.take(
      frameOf(
        [
          [1, 10, 1],
          [1, 20, 2],
          [2, 10, 3],
        ],
        [[3, 10]],
      ),
      0,
    );
    expect(batch.dropBefore(20)).toBe(3);
    expect([batch.samples(), batch.isEmpty()]).toEqual([1, false]);
    expect(rowsOf(batch)).toEqual(["s1 20 2"]);
    expect(batch.dropBefore(21)).toBe(1);
    expect([batch.isEmpty(), batch.series()]).toEqual([true, []]);
  });

  it("counts why it does not hold what it was given", () => {
    const wanted = taking({
      sendsNativeHistograms: false,
      nameOf: (ref) => (ref === 1 ? "relabelling" : "unknown-series"),
    });
    createOutgoingBatch(10, wanted).take(
      frameOf(
        [
          [1, 10, 1],
          [2, 20, 2],
        ],
        [[3, 10]],
      ),
      0,
    );
    expect(wanted.dropped).toEqual({ relabelling: 1, "unknown-series": 1, "native-histograms": 1 });
  });

  it("hands on everything once, however large it is", () => {
    const rows = fc.array(fc.tuple(fc.nat(3), fc.nat(1000), fc.nat(9)), { maxLength: 30 });
    const histograms = fc.array(fc.tuple(fc.nat(3), fc.nat(1000)), { maxLength: 8 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), rows, histograms, (capacity, samples, more) => {
        const frame = frameOf(samples, more);
        const sent: string[] = [];
        for (let item = 0; item < itemsOf(frame);) {
          const batch = createOutgoingBatch(capacity, taking());
          item = batch.take(frame, item);
          expect(batch.samples()).toBeLessThanOrEqual(capacity);
          sent.push(...rowsOf(batch));
        }
        const expected = [
          ...samples.map(([ref, timeMs, value]) => `s${ref} ${timeMs} ${value}`),
          ...more.map(([ref, timeMs]) => `s${ref} ${timeMs} histogram`),
        ];
        expect(sent.toSorted()).toEqual(expected.toSorted());
      }),
    );
  });
});
