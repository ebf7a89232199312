import { describe, expect, it } from "vitest";
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
    labels: [
      ["__name__", "up"],
      ["job", "höhe"],
    ],
    timestampsMs: [1_700_000_000_000, 1_700_000_015_000, 1_700_000_030_000, 1_700_000_045_000],
    values,
  },
  { labels: [["__name__", "up"]], timestampsMs: [-5], values: Float64Array.of(7) },
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

const EXPECTED = SERIES.map(({ labels, timestampsMs, values: sent }) => ({
  labels,
  times: Array.from(timestampsMs),
  values: Array.from(sent, (value, index) => (isStaleAt(sent, index) ? "stale" : value)),
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

  it("holds each text once in version 2", () => {
    const twice = [...SERIES, ...SERIES];
    const text = Buffer.from(encodeRemoteWrite2(twice)).toString("latin1");
    expect(text.split("__name__")).toHaveLength(2);
  });
});
