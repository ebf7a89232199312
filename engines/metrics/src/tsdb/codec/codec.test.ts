import {
  array,
  assert,
  constantFrom,
  double,
  float,
  integer,
  nat,
  oneof,
  property,
  record,
} from "fast-check";
import { describe, expect, it } from "vitest";
import { NO_BUCKETS, type Histogram } from "../../histogram.ts";
import { isStaleAt, setStaleAt } from "../../stale.ts";
import {
  createSink,
  CorruptionError,
  readSigned,
  readVarint,
  takeBytes,
  writeSigned,
  writeVarint,
} from "./bytes.ts";
import { readHistograms, writeHistograms } from "./histogram-column.ts";
import { encodeTimes, readTimes } from "./time-column.ts";
import { readValues, wordsOf, writeValues } from "./value-column.ts";

const sourceOf = (bytes: Uint8Array) => ({ bytes, at: 0 });

function valuesAgain(values: Float64Array): Float64Array {
  const sink = createSink(1);
  writeValues(sink, values);
  const source = sourceOf(takeBytes(sink));
  const again = new Float64Array(values.length);
  readValues(source, again);
  expect(source.at).toBe(source.bytes.length);
  return again;
}

/** Bit by bit, since NaN and -0 differ in nothing else. */
const expectSameBits = (values: Float64Array) => {
  expect([...wordsOf(valuesAgain(values))]).toEqual([...wordsOf(values)]);
};

describe("numbers", () => {
  it("come back from varints, small and large, of both signs", () => {
    const sizes = oneof(nat(300), nat(2 ** 31 - 1), integer({ min: -(2 ** 52), max: 2 ** 52 }));
    assert(
      property(array(sizes), (numbers) => {
        const sink = createSink(1);
        for (const each of numbers) {
          writeSigned(sink, each);
          writeVarint(sink, Math.abs(each));
        }
        const source = sourceOf(takeBytes(sink));
        for (const each of numbers) {
          expect(readSigned(source)).toBe(each);
          expect(readVarint(source)).toBe(Math.abs(each));
        }
      }),
    );
  });

  it.each([0, 127, 128, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1])("%i comes back", (number) => {
    const sink = createSink(1);
    writeVarint(sink, number);
    expect(readVarint(sourceOf(takeBytes(sink)))).toBe(number);
  });

  it("are refused when they end too early or never", () => {
    expect(() => readVarint(sourceOf(Uint8Array.of(200)))).toThrow(CorruptionError);
    expect(() => readVarint(sourceOf(new Uint8Array(20).fill(255)))).toThrow(CorruptionError);
  });
});

describe("a column of times", () => {
  const timesAgain = (timesMs: Float64Array) => {
    const again = new Float64Array(timesMs.length);
    readTimes(sourceOf(encodeTimes(timesMs)), again);
    return again;
  };

  it("comes back with jitter and gaps", () => {
    const distances = array(oneof(constantFrom(15_000, 15_005, 14_995, 1), integer({ min: 1, max: 1e11 })));
    assert(
      property(integer({ min: -1e12, max: 4e12 }), distances, (startMs, steps) => {
        let timeMs = startMs;
        const timesMs = Float64Array.of(startMs, ...steps.map((stepMs) => (timeMs += stepMs)));
        expect(timesAgain(timesMs)).toEqual(timesMs);
      }),
    );
  });

  it("costs a few bytes in all when the distance is regular", () => {
    const timesMs = Float64Array.from({ length: 480 }, (_, index) => 1.7e12 + 15_000 * index);
    expect(encodeTimes(timesMs).length).toBeLessThan(16);
  });
});

describe("a column of values", () => {
  const odd = constantFrom(0, -0, NaN, Infinity, -Infinity, 5e-324, -5e-324, 2 ** 53, 1e300, 0.1, 0.3, -1);

  it("comes back bit for bit, whatever it holds", () => {
    const any = oneof(
      odd,
      double(),
      float(),
      integer(),
      integer().map((each) => each / 100),
    );
    assert(
      property(array(any), (values) => {
        expectSameBits(Float64Array.from(values));
      }),
      { numRuns: 500 },
    );
  });

  it("comes back bit for bit when all but few are decimal numbers", () => {
    // Divided by a part of a power of two they are multiples of it.
    const places = constantFrom(1, 10, 100, 1e3, 1e6, 1e9, 1 / 2, 1 / 4096, 2 ** -20, 2 ** -40);
    const numbers = array(integer({ min: -1e6, max: 1e9 }), { minLength: 20 });
    assert(
      property(numbers, places, odd, nat(19), (integers, factor, oddity, at) => {
        const values = Float64Array.from(integers, (each) => each / factor);
        values[at] = oddity;
        setStaleAt(values, integers.length - 1);
        expectSameBits(values);
      }),
    );
  });

  it("keeps a staleness marker a staleness marker in every way of writing", () => {
    const ways: readonly ((index: number) => number)[] = [
      () => NaN,
      () => 4,
      (index) => index * index,
      (index) => Math.sqrt(index),
    ];
    for (const way of ways) {
      const values = Float64Array.from({ length: 40 }, (_, index) => way(index));
      setStaleAt(values, 7);
      const again = valuesAgain(values);
      expect(isStaleAt(again, 7)).toBe(true);
      expect(isStaleAt(again, 8)).toBe(false);
    }
    const onlyMarkers = new Float64Array(3);
    for (const index of [0, 1, 2]) setStaleAt(onlyMarkers, index);
    expectSameBits(onlyMarkers);
  });

  it.each([2 ** 50, -(2 ** 50), 2 ** 50 + 1, 2 ** 53, 9e15, 1e22])(
    "%d comes back beside small ones",
    (large) => {
      expectSameBits(Float64Array.of(1, large, -large, 2, -large, large, 0));
    },
  );

  it("of a counter costs little more than a byte a sample before it is compressed", () => {
    const values = Float64Array.from({ length: 480 }, (_, index) => 1e6 + 7 * index + (index % 3));
    const sink = createSink();
    writeValues(sink, values);
    expect(sink.at).toBeLessThan(490);
  });

  it("of memory that comes in pages costs what its number of pages does", () => {
    const pages = Float64Array.from({ length: 480 }, (_, index) => 1e6 + 7 * index + (index % 3));
    const sink = createSink();
    writeValues(
      sink,
      pages.map((each) => each * 4096),
    );
    expect(sink.at).toBeLessThan(490);
  });

  /** As good as random (the last steps of MurmurHash3). */
  const noiseAt = (index: number) => {
    const mixed = Math.imul(index + 1, 0x85eb_ca6b);
    return (Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35) >>> 16) % 1000;
  };
  const written = (count: number, valueOf: (index: number) => number) => {
    const sink = createSink();
    writeValues(
      sink,
      Float64Array.from({ length: count }, (_, index) => valueOf(index)),
    );
    return takeBytes(sink);
  };

  it("of noise comes back, however wide its differences are and whatever stands between them", () => {
    const kind = record({
      unit: constantFrom(1, 0.01, 4096),
      width: integer({ min: 1, max: 26 }),
      base: integer(),
      oddity: odd,
    });
    const noise = array(nat(2 ** 26 - 1), { minLength: 126, maxLength: 200 });
    assert(
      property(kind, noise, ({ unit, width, base, oddity }, steps) => {
        const values = Float64Array.from(steps, (step) => (base + (step % 2 ** width)) * unit);
        values[steps.length >> 1] = oddity;
        expectSameBits(values);
      }),
    );
  });

  it("of noise costs the bits of its differences; what is mostly steady is left to be compressed", () => {
    const noise = written(480, noiseAt);
    // Between -999 and 999: eleven bits each.
    expect([noise[0], noise.length < (480 * 11) / 8 + 16]).toEqual([4, true]);
    const steady = written(480, (index) => 1e6 + 300 * index + (index >= 240 ? 5000 : 0));
    expect(steady[0]).not.toBe(4);
  });

  it("is refused when packed values are cut, or wider than any are", () => {
    const into = new Float64Array(200);
    const bytes = written(200, noiseAt);
    expect(() => readValues(sourceOf(bytes.subarray(0, 100)), into)).toThrow(CorruptionError);
    const wide = Uint8Array.of(4, 0, 2, 2, 25, ...new Uint8Array(1000));
    expect(() => readValues(sourceOf(wide), into)).toThrow(CorruptionError);
  });

  it("is refused when it is written in an unknown way or scale, or is cut", () => {
    const ofScale = (scale: number) => sourceOf(Uint8Array.of(1, scale, 2, 2, 0));
    expect(() => readValues(ofScale(42), new Float64Array(2))).not.toThrow();
    expect(() => readValues(ofScale(43), new Float64Array(2))).toThrow(CorruptionError);
    expect(() => readValues(sourceOf(Uint8Array.of(9, 0, 0)), new Float64Array(2))).toThrow(CorruptionError);
    const sink = createSink();
    writeValues(sink, Float64Array.of(1, 2, 3.5, Math.PI));
    expect(() => readValues(sourceOf(takeBytes(sink).subarray(0, 12)), new Float64Array(4))).toThrow(
      CorruptionError,
    );
  });
});

describe("a column of histograms", () => {
  const counts = array(integer({ min: 0, max: 1e9 }), { minLength: 5, maxLength: 5 });
  const histogram = record({
    schema: constantFrom(-4, 0, 3, 8),
    zeroThreshold: constantFrom(0, 2 ** -128),
    counts,
    sum: double({ noDefaultInfinity: true }),
    offset: integer({ min: -1000, max: 1000 }),
    resetHint: constantFrom("unknown", "reset", "not-reset", "gauge"),
  }).map((each): Histogram => ({
    schema: each.schema,
    zeroThreshold: each.zeroThreshold,
    count: each.counts.reduce((sum, count) => sum + count, 0),
    sum: each.sum,
    zeroCount: each.counts[0] ?? 0,
    positive: {
      indexes: Int32Array.of(each.offset, each.offset + 1, each.offset + 5),
      counts: Float64Array.from(each.counts.slice(1, 4)),
    },
    negative: { indexes: Int32Array.of(-3), counts: Float64Array.from(each.counts.slice(4)) },
    customBounds: [],
    resetHint: each.resetHint,
  }));

  it("comes back, whether or not the buckets stay the same", () => {
    assert(
      property(array(histogram), (histograms) => {
        const sink = createSink();
        writeHistograms(sink, histograms);
        expect(readHistograms(sourceOf(takeBytes(sink)), histograms.length)).toEqual(histograms);
      }),
    );
  });

  it("comes back with custom bounds", () => {
    const custom: Histogram = {
      schema: -53,
      zeroThreshold: 0,
      count: 6,
      sum: 11.5,
      zeroCount: 0,
      positive: { indexes: Int32Array.of(0, 1, 2), counts: Float64Array.of(1, 2, 3) },
      negative: NO_BUCKETS,
      customBounds: [0.5, 2.25],
      resetHint: "unknown",
    };
    const sink = createSink();
    writeHistograms(sink, [custom, custom]);
    expect(readHistograms(sourceOf(takeBytes(sink)), 2)).toEqual([custom, custom]);
  });
});
