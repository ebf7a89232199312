import fc from "fast-check";
import { expect, it } from "vitest";
import { CUSTOM_BUCKETS_SCHEMA, NO_BUCKETS, type Buckets, type Histogram } from "../../histogram.ts";
import { readFloatHistogramChunk } from "../../testing/read-float-histogram-chunk.ts";
import { readXorChunk } from "../../testing/read-xor-chunk.ts";
import { compareBytes } from "./compare-bytes.ts";
import { crc32c } from "./crc32c.ts";
import { sampleChunks } from "./sample-chunks.ts";
import { encodeXorChunk } from "./xor-chunk.ts";

const bitsOf = (values: Float64Array) => [
  ...new BigUint64Array(values.buffer, values.byteOffset, values.length),
];

/** Steps of all lengths that the encoding has a form for, and values by their bits. */
const step = fc.oneof(
  fc.constant(15_000),
  fc.integer({ min: 1, max: 20_000 }),
  fc.integer({ min: 1, max: 300_000 }),
  fc.integer({ min: 1, max: 2 ** 40 }),
);
const value = fc.oneof(
  fc
    .integer({ min: -5, max: 5 })
    .map((number) => new BigUint64Array(new Float64Array([number]).buffer)[0] ?? 0n),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constant(0x7ff0_0000_0000_0002n),
);

it("keeps every time and every bit of a value, staleness markers too", () => {
  const samples = fc.array(fc.tuple(step, value), { minLength: 1, maxLength: 300 });
  const start = fc.integer({ min: -(2 ** 50), max: 2 ** 50 });
  fc.assert(
    fc.property(start, samples, (startMs, all) => {
      let timeMs = startMs;
      const timestampsMs = Float64Array.from(all, ([stepMs]) => (timeMs += stepMs));
      const values = new Float64Array(BigUint64Array.from(all, ([, bits]) => bits).buffer);
      const read = readXorChunk(encodeXorChunk({ timestampsMs, values }));
      expect(read.timestampsMs).toEqual([...timestampsMs]);
      expect(read.bits).toEqual(bitsOf(values));
    }),
    { numRuns: 300 },
  );
});

it("writes the border of each form of a time on the right side of it", () => {
  for (const border of [2 ** 13, 2 ** 16, 2 ** 19])
    for (const change of [border - 1, border, border + 1, 1 - border, -border, -border - 1]) {
      const timestampsMs = Float64Array.of(0, 2 ** 20, 2 ** 21 + change);
      const values = new Float64Array(3);
      expect(readXorChunk(encodeXorChunk({ timestampsMs, values })).timestampsMs).toEqual([...timestampsMs]);
    }
});

it("fills a chunk with 120 samples and begins the next", () => {
  const timestampsMs = Float64Array.from({ length: 250 }, (_, index) => index * 1000);
  const chunks = [...sampleChunks({ floats: { timestampsMs, values: new Float64Array(250) } })];
  expect(chunks.map(({ minMs, maxMs, samples }) => [minMs, maxMs, samples])).toEqual([
    [0, 119_000, 120],
    [120_000, 239_000, 120],
    [240_000, 249_000, 10],
  ]);
  // Times that go on as before and values that do not change take a bit each.
  expect(chunks[0]?.bytes.length).toBe(2 + 1 + 8 + Math.ceil((16 + 1 + 118 * 2) / 8));
});

const indexes = fc.uniqueArray(fc.integer({ min: -200, max: 200 }), { maxLength: 12 });
const amount = fc.oneof(fc.integer({ min: 0, max: 1000 }), fc.double({ min: 0, max: 1e12, noNaN: true }));
const threshold = fc.constantFrom(0, 2 ** -128, 2 ** -243, 2 ** 10, 2 ** 11, 0.001);
const bounds = fc.constantFrom([0.005, 0.01, 33_554.43, 33_554.431], [-1, 1 / 3, 1e9], []);

/** Histograms of one layout, the counts of each at least those of the one before. */
const histograms = fc
  .record({
    layout: fc.record({
      positive: indexes,
      negative: indexes,
      zeroThreshold: threshold,
      customBounds: bounds,
    }),
    ...{ isCustom: fc.boolean(), schema: fc.integer({ min: -4, max: 8 }), isGauge: fc.boolean() },
    growth: fc.array(fc.tuple(amount, fc.double({ noNaN: true })), { minLength: 1, maxLength: 20 }),
  })
  .map(({ layout, isCustom, schema, isGauge, growth }) => {
    let total = 0;
    return growth.map(([added, sum], nth): Histogram => {
      total += added;
      const bucketsOf = (places: number[]): Buckets => ({
        indexes: Int32Array.from(places.toSorted((a, b) => a - b)),
        counts: Float64Array.from(places, (_, index) => total + index),
      });
      return {
        ...{ schema: isCustom ? CUSTOM_BUCKETS_SCHEMA : schema, zeroThreshold: layout.zeroThreshold },
        ...{ count: total, sum, zeroCount: total / 3, positive: bucketsOf(layout.positive) },
        negative: isCustom ? NO_BUCKETS : bucketsOf(layout.negative),
        customBounds: isCustom ? layout.customBounds : [],
        resetHint: isGauge ? "gauge" : nth === 0 ? "unknown" : "not-reset",
      };
    });
  });

it("keeps every number of a histogram, and where its buckets are", () => {
  fc.assert(
    fc.property(histograms, fc.array(step, { minLength: 20, maxLength: 20 }), (values, steps) => {
      let timeMs = 0;
      const timestampsMs = Float64Array.from(values, (_, index) => (timeMs += steps[index] ?? 1));
      const floats = { timestampsMs: new Float64Array(0), values: new Float64Array(0) };
      const chunks = [...sampleChunks({ floats, histograms: { timestampsMs, values } })];
      expect(chunks.map(({ encoding, samples }) => [encoding, samples])).toEqual([[3, values.length]]);
      const read = readFloatHistogramChunk(chunks[0]?.bytes ?? new Uint8Array(0));
      expect(read.timestampsMs).toEqual([...timestampsMs]);
      expect(read.values).toEqual(values);
    }),
    { numRuns: 200 },
  );
});

it("begins a chunk where buckets change, counts fall, or a sample of the other kind stands", () => {
  const plain: Histogram = {
    ...{ schema: 0, count: 4, sum: 1, zeroThreshold: 0, zeroCount: 0, customBounds: [] },
    positive: { indexes: Int32Array.of(1), counts: Float64Array.of(4) },
    ...{ negative: NO_BUCKETS, resetHint: "unknown" },
  };
  const moved: Histogram = { ...plain, positive: { indexes: Int32Array.of(2), counts: Float64Array.of(4) } };
  const fallen: Histogram = { ...moved, count: 3 };
  const timestampsMs = Float64Array.of(1, 2, 3, 4, 6);
  const values = [plain, plain, moved, fallen, fallen];
  const floats = { timestampsMs: Float64Array.of(0, 5), values: Float64Array.of(7, 8) };
  const chunks = [...sampleChunks({ floats, histograms: { timestampsMs, values } })];
  expect(chunks.map(({ encoding, minMs, maxMs }) => [encoding, minMs, maxMs])).toEqual([
    ...[
      [1, 0, 0],
      [3, 1, 2],
      [3, 3, 3],
      [3, 4, 4],
      [1, 5, 5],
      [3, 6, 6],
    ],
  ]);
});

it("orders texts as their UTF-8", () => {
  const letter = fc.constantFrom(
    "",
    "a",
    "z",
    "é",
    "\u{d7ff}",
    "\u{e000}",
    "\u{ffff}",
    "\u{10000}",
    "\u{10ffff}",
  );
  const text = fc.array(letter, { maxLength: 4 }).map((letters) => letters.join(""));
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
  expect(compareBytes("\u{1f600}", "\u{ffff}")).toBeGreaterThan(0);
});

it("sums bytes as RFC 3720 does in its examples", () => {
  const ascending = Uint8Array.from({ length: 32 }, (_, index) => index);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a91_36aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8_ab43);
  expect(crc32c(ascending)).toBe(0x46dd_794e);
  expect(crc32c(ascending.subarray(13), crc32c(ascending.subarray(0, 13)))).toBe(0x46dd_794e);
});
