import { createLabels, NO_BUCKETS, setStaleAt, type Buckets, type Histogram } from "@mainstay/metrics/model";
import { compressSnappy, encodeRemoteWrite1, type OutgoingSeries } from "@mainstay/metrics/wire";

const SCRAPE_MS = 10_000;
const SCRAPES = 61;
const BUCKETS = ["0.1", "1", "+Inf"];

/** Values that JSON has no number for, or that are written in more than one way. */
const SPECIAL: Readonly<Record<string, number>> = {
  "not a number": NaN,
  infinite: Infinity,
  "minus infinite": -Infinity,
  "minus zero": -0,
  "1e21": 1e21,
  "below 1e21": 123_456_789_012_345_680_000,
  million: 1_000_000,
  "1e-6": 1e-6,
  "below 1e-6": 1.234e-7,
  sum: 0.1 + 0.2,
  smallest: 5e-324,
  largest: Number.MAX_VALUE,
};

const PLAIN: Histogram = {
  ...{ schema: 0, count: 4, sum: 2, zeroThreshold: 0, zeroCount: 0, customBounds: [], resetHint: "unknown" },
  ...{ positive: bucketsOf([[0, 4]]), negative: NO_BUCKETS },
};
const [ABOVE, BELOW] = [
  bucketsOf([
    [0, 4],
    [1, 1],
    [9, 2],
  ]),
  bucketsOf([
    [-3, 1],
    [2, 5],
  ]),
];
const BOTH_SIGNS: Histogram = { ...PLAIN, count: 13, sum: -1.5, positive: ABOVE, negative: BELOW };
const HISTOGRAMS: Readonly<Record<string, Histogram>> = {
  plain: PLAIN,
  empty: { ...PLAIN, count: 0, sum: 0, positive: NO_BUCKETS },
  "both signs": BOTH_SIGNS,
  "around zero": { ...BOTH_SIGNS, count: 20, zeroCount: 7, zeroThreshold: 0.001 },
  "zero alone": { ...PLAIN, count: 7, sum: 0, zeroCount: 7, positive: NO_BUCKETS },
  coarser: { ...BOTH_SIGNS, schema: -1 },
  coarsest: { ...BOTH_SIGNS, schema: -4 },
  "no sum": { ...PLAIN, sum: NaN },
};

/** Ten minutes of series of every kind that remote-write 1 carries, as one request. */
export function writeRequest(lastMs: number): Uint8Array {
  const timestampsMs = Array.from({ length: SCRAPES }, (_, nth) => lastMs - (SCRAPES - 1 - nth) * SCRAPE_MS);
  const over = (labels: Labels, course: (nth: number) => number): OutgoingSeries => ({
    ...{ labels: createLabels(Object.entries(labels)), timestampsMs },
    values: Float64Array.from({ length: SCRAPES }, (_, nth) => course(nth)),
  });
  const ended = over({ __name__: "ended" }, () => 1);
  setStaleAt(ended.values, SCRAPES - 1);
  const exemplar = { labels: [["trace_id", "abc"]] as const, value: 0.25, timestampMs: lastMs };
  return compressSnappy(
    encodeRemoteWrite1([
      ...["a", "b", "c"].map((id, rank) =>
        over({ __name__: "requests_total", id, job: "shop" }, (nth) => nth * 10 * (rank + 1)),
      ),
      over({ __name__: "temperature", room: "cellar" }, (nth) => (nth % 7) - 3.5),
      ended,
      over({ __name__: "colon:name", text: 'a "quote", a \\, a\nline, <b> & 🙂' }, () => 1),
      ...Object.entries(SPECIAL).map(([kind, value]) => over({ __name__: "special", kind }, () => value)),
      ...BUCKETS.map((le, rank) => over({ __name__: "seconds_bucket", le }, (nth) => nth * (rank + 1))),
      over({ __name__: "seconds_sum" }, (nth) => nth / 2),
      over({ __name__: "seconds_count" }, (nth) => nth * BUCKETS.length),
      { ...over({ __name__: "traced_total", job: "shop" }, () => 1), exemplars: [exemplar] },
      ...Object.entries(HISTOGRAMS).map(([kind, value]) => ({
        ...{
          labels: createLabels([
            ["__name__", "native"],
            ["kind", kind],
          ]),
          timestampsMs: [],
        },
        ...{ values: new Float64Array(0), histograms: [{ timestampMs: lastMs, value }] },
      })),
    ]),
  );
}

type Labels = Readonly<Record<string, string>>;

function bucketsOf(counts: readonly (readonly [index: number, count: number])[]): Buckets {
  const [indexes, values] = [counts.map(([index]) => index), counts.map(([, count]) => count)];
  return { indexes: Int32Array.from(indexes), counts: Float64Array.from(values) };
}
