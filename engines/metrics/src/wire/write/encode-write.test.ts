import { describe, expect, it } from "vitest";
import { CUSTOM_BUCKETS_SCHEMA, NO_BUCKETS, type Histogram } from "../../histogram.ts";
import { isStaleAt, setStaleAt } from "../../stale.ts";
import { encodeRemoteWrite1, encodeRemoteWrite2, type OutgoingSeries } from "./encode-write.ts";
import { readRemoteWrite1 } from "./remote-write-1.ts";
import { readRemoteWrite2 } from "./remote-write-2.ts";
import { Symbols } from "./symbols.ts";
import type { WriteSink } from "./write-request.ts";

const values = Float64Array.of(1.5, -0, Infinity, 0);
setStaleAt(values, 3);
const SERIES: OutgoingSeries[] = [
  {
    labels: { names: ["__name__", "job"], values: ["up", "höhe"] },
    timestampsMs: [1_700_000_000_000, 1_700_000_015_000, 1_700_000_030_000, 1_700_000_045_000],
    values,
  },
  {
    labels: { names: ["__name__"], values: ["up"] },
    ...{ timestampsMs: [0, -5, 0], values: Float64Array.of(0, 7, 0), from: 1, to: 2 },
  },
];

function collect(read: (sink: WriteSink) => void) {
  const seen: { labels: unknown; times: number[]; values: (number | string)[] }[] = [];
  read({
    series: (series) => {
      const places = Array.from({ length: series.samples }, (_, index) => index);
      seen.push({
        labels: series.labels(),
        times: places.map((index) => series.timestampsMs[index] ?? NaN),
        values: places.map((index) =>
          isStaleAt(series.values, index) ? "stale" : (series.values[index] ?? NaN),
        ),
      });
    },
    metadata: () => {},
  });
  return seen;
}

const COUNTED: Histogram = {
  ...{ schema: 3, count: 21, sum: 18.4, zeroThreshold: 1e-128, zeroCount: 2, customBounds: [] },
  positive: { indexes: Int32Array.of(-3, -2, 1, 7), counts: Float64Array.of(5, 1, 4, 6) },
  negative: { indexes: Int32Array.of(2), counts: Float64Array.of(3) },
  resetHint: "reset",
};
const HISTOGRAMS: Histogram[] = [
  COUNTED,
  { ...COUNTED, zeroCount: 0.5, resetHint: "gauge" },
  {
    ...{ schema: CUSTOM_BUCKETS_SCHEMA, count: 7, sum: 5, zeroThreshold: 0, zeroCount: 0 },
    ...{ customBounds: [0.5, 1, 2.5], negative: NO_BUCKETS, resetHint: "unknown" },
    positive: { indexes: Int32Array.of(0, 3), counts: Float64Array.of(3, 4) },
  },
];
const TOLD: OutgoingSeries = {
  ...{ labels: { names: ["__name__"], values: ["latency"] }, timestampsMs: [], values: new Float64Array(0) },
  histograms: HISTOGRAMS.map((value, index) => ({ timestampMs: 1000 + index, value })),
  exemplars: [{ labels: [["trace_id", "abc"]], value: 0.25, timestampMs: 999 }],
  metadata: { metric: "latency", type: "histogram", help: "How long it took.", unit: "seconds" },
};

/** Histograms, exemplars and metadata of the last series, and the metadata of families. */
function collectTold(read: (sink: WriteSink) => void) {
  const told = { histograms: [] as unknown[], exemplars: [] as unknown[], metadata: null as unknown };
  const families: unknown[] = [];
  read({
    series: ({ histograms, exemplars, metadata }) => Object.assign(told, { histograms, exemplars, metadata }),
    metadata: (metric, each) => families.push({ metric, ...each }),
  });
  return { ...told, families };
}

const { metric: _, ...WITHOUT_FAMILY } = TOLD.metadata ?? { metric: "" };
const EXPECTED_HISTOGRAMS = HISTOGRAMS.map((histogram, index) => ({
  ...{ histogram, timestampMs: 1000 + index, isStale: false, startMs: null },
}));

const EXPECTED = SERIES.map(({ labels, timestampsMs, values: sent, from, to }) => ({
  labels: labels.names.map((name, index) => [name, labels.values[index]]),
  times: Array.from(timestampsMs).slice(from, to),
  values: Array.from(sent, (value, index) => (isStaleAt(sent, index) ? "stale" : value)).slice(from, to),
}));

describe("what is sent by remote-write", () => {
  it("is read back as it was, in version 1", () => {
    const bytes = encodeRemoteWrite1(SERIES);
    expect(collect((sink) => readRemoteWrite1(bytes, sink))).toEqual(EXPECTED);
  });

  it("is read back as it was, in version 2", () => {
    const bytes = encodeRemoteWrite2(SERIES);
    expect(collect((sink) => readRemoteWrite2(bytes, new Symbols({ limit: 100 }), sink))).toEqual(EXPECTED);
  });

  it("holds histograms, exemplars and metadata of series, in version 2", () => {
    const bytes = encodeRemoteWrite2([TOLD]);
    const told = collectTold((sink) => readRemoteWrite2(bytes, new Symbols({ limit: 100 }), sink));
    expect(told).toEqual({
      ...{ histograms: EXPECTED_HISTOGRAMS, exemplars: TOLD.exemplars, metadata: WITHOUT_FAMILY },
      families: [],
    });
  });

  it("holds histograms, exemplars and metadata of families, in version 1", () => {
    const bytes = encodeRemoteWrite1([TOLD], TOLD.metadata ? [TOLD.metadata] : []);
    expect(collectTold((sink) => readRemoteWrite1(bytes, sink))).toEqual({
      ...{ histograms: EXPECTED_HISTOGRAMS, exemplars: TOLD.exemplars, metadata: null },
      families: [TOLD.metadata],
    });
  });

  it("holds each text once in version 2", () => {
    const twice = [...SERIES, ...SERIES];
    const text = Buffer.from(encodeRemoteWrite2(twice)).toString("latin1");
    expect(text.split("__name__")).toHaveLength(2);
  });
});
