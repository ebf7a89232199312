import fc from "fast-check";
import { expect, it } from "vitest";
import { readXorChunk } from "../../testing/read-xor-chunk.ts";
import { crc32c } from "./crc32c.ts";
import { sampleChunks } from "./sample-chunks.ts";
import { encodeXorChunk } from "./xor-chunk.ts";

const bitsOf = (values: Float64Array) => [...new BigUint64Array(values.buffer, values.byteOffset, values.length)];

/** Steps of all lengths that the encoding has a form for, and values by their bits. */
const step = fc.oneof(
  fc.constant(15_000),
  fc.integer({ min: 1, max: 20_000 }),
  fc.integer({ min: 1, max: 300_000 }),
  fc.integer({ min: 1, max: 2 ** 40 }),
);
const value = fc.oneof(
  fc.integer({ min: -5, max: 5 }).map((number) => new BigUint64Array(new Float64Array([number]).buffer)[0] ?? 0n),
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

it("sums bytes as RFC 3720 does in its examples", () => {
  const ascending = Uint8Array.from({ length: 32 }, (_, index) => index);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a91_36aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8_ab43);
  expect(crc32c(ascending)).toBe(0x46dd_794e);
  expect(crc32c(ascending.subarray(13), crc32c(ascending.subarray(0, 13)))).toBe(0x46dd_794e);
});
