import { describe, expect, it } from "vitest";
import { isStaleAt, setStaleAt } from "../../stale.ts";
import { BYTES, FIXED_64, tagOf, VARINT } from "../protobuf/proto-reader.ts";
import { ProtoWriter } from "../protobuf/proto-writer.ts";
import { readRemoteWrite1 } from "./remote-write-1.ts";
import { readRemoteWrite2 } from "./remote-write-2.ts";
import { Symbols } from "./symbols.ts";
import type { WriteSink, WrittenSeries } from "./write-request.ts";

type Sample = [timestampMs: number, value: number];
const STALE = new Uint32Array(2);
setStaleAt(new Float64Array(STALE.buffer), 0);

function message(write: (writer: ProtoWriter) => void): Uint8Array {
  const writer = new ProtoWriter();
  write(writer);
  return writer.finish().slice();
}

/** A field that is a message, a text or packed. */
function field(writer: ProtoWriter, number: number, write: () => void): void {
  writer.varint(tagOf(number, BYTES));
  writer.within(write);
}

function text(writer: ProtoWriter, number: number, value: string): void {
  writer.varint(tagOf(number, BYTES));
  writer.text(value);
}

function sample(writer: ProtoWriter, [timestampMs, value]: Sample): void {
  writer.varint(tagOf(1, FIXED_64));
  if (Number.isNaN(value)) writer.doubleFrom(STALE, 0);
  else writer.double(value);
  writer.varint(tagOf(2, VARINT));
  writer.int(timestampMs);
}

function series1(writer: ProtoWriter, labels: Record<string, string>, samples: Sample[]): void {
  field(writer, 1, () => {
    for (const [name, value] of Object.entries(labels)) {
      field(writer, 1, () => {
        text(writer, 1, name);
        text(writer, 2, value);
      });
    }
    for (const each of samples) field(writer, 2, () => sample(writer, each));
  });
}

function series2(writer: ProtoWriter, refs: number[], samples: Sample[]): void {
  field(writer, 5, () => {
    field(writer, 1, () => refs.forEach((reference) => writer.varint(reference)));
    for (const each of samples) field(writer, 2, () => sample(writer, each));
  });
}

interface Seen {
  labels: (readonly [string, string])[];
  known: number;
  samples: (number | string)[][];
}

/** Remembers each series that is new by its position, counted from `first` on. */
function collect(read: (sink: WriteSink) => void, first = 0) {
  const seen: Seen[] = [];
  const families: [string, string][] = [];
  read({
    series(series) {
      seen.push(seenOf(series));
      if (series.known === -1) series.remember(first + seen.length - 1);
    },
    metadata: (family, { type }) => families.push([family, type]),
  });
  return { seen, families };
}

function seenOf(series: WrittenSeries): Seen {
  return {
    labels: series.labels(),
    known: series.known,
    samples: Array.from({ length: series.samples }, (_, index) => [
      series.timestampsMs[index] ?? NaN,
      isStaleAt(series.values, index) ? "stale" : (series.values[index] ?? NaN),
    ]),
  };
}

const LABELS = { __name__: "up", job: "héllo" };
const PAIRS = Object.entries(LABELS);
const SAMPLES: Sample[] = [
  [1_700_000_000_000, 1.5],
  [-5, -0],
  [1_700_000_015_000, NaN],
];
const KEPT = SAMPLES.map(([timestampMs, value]) => [timestampMs, Number.isNaN(value) ? "stale" : value]);

describe("remote-write 1", () => {
  it("is read with its labels, times and bits", () => {
    const bytes = message((writer) => series1(writer, LABELS, SAMPLES));
    const { seen } = collect((sink) => readRemoteWrite1(bytes, sink));
    expect(seen).toEqual([{ labels: PAIRS, known: -1, samples: KEPT }]);
  });

  it("keeps what a series is known by from request to request, and holds more samples than it first had room for", () => {
    const many = Array.from({ length: 100 }, (_, index): Sample => [
      index,
      index % 7 === 0 ? NaN : index / 3,
    ]);
    const bytes = message((writer) => {
      series1(writer, LABELS, [[1, 1]]);
      series1(writer, { __name__: "down" }, many);
      series1(writer, LABELS, [[2, 2]]);
    });
    const { seen } = collect((sink) => readRemoteWrite1(bytes, sink));
    expect(seen.map(({ known }) => known)).toEqual([-1, -1, 0]);
    expect(seen[1]?.samples).toEqual(many.map(([at, value]) => [at, Number.isNaN(value) ? "stale" : value]));
  });

  it("brings metadata by family, and passes over what it does not know", () => {
    const bytes = message((writer) => {
      text(writer, 9, "from the future");
      field(writer, 3, () => {
        writer.varint(tagOf(1, VARINT));
        writer.varint(1);
        text(writer, 2, "up");
        text(writer, 4, "Whether it is.");
      });
    });
    expect(collect((sink) => readRemoteWrite1(bytes, sink)).families).toEqual([["up", "counter"]]);
  });

  it("is refused wherever it is cut off", () => {
    const bytes = message((writer) => series1(writer, LABELS, SAMPLES));
    for (let length = 1; length < bytes.length; length++) {
      expect(() => collect((sink) => readRemoteWrite1(bytes.subarray(0, length), sink))).toThrow(/at byte/);
    }
  });
});

describe("remote-write 2", () => {
  const SYMBOLS = ["", ...Object.entries(LABELS).flat()];
  const request = (symbols: string[], write: (writer: ProtoWriter) => void) =>
    message((writer) => {
      for (const symbol of symbols) text(writer, 4, symbol);
      write(writer);
    });

  it("is read with its labels, times and bits", () => {
    const bytes = request(SYMBOLS, (writer) => series2(writer, [1, 2, 3, 4], SAMPLES));
    const { seen } = collect((sink) => readRemoteWrite2(bytes, new Symbols({ limit: 100 }), sink));
    expect(seen).toEqual([{ labels: PAIRS, known: -1, samples: KEPT }]);
  });

  it("knows a series again though the next request numbers its symbols differently", () => {
    const symbols = new Symbols({ limit: 100 });
    const read = (bytes: Uint8Array) =>
      collect((sink) => readRemoteWrite2(bytes, symbols, sink), 7).seen.map(({ known }) => known);
    const first = request(SYMBOLS, (writer) => series2(writer, [1, 2, 3, 4], [[1, 1]]));
    const renumbered = request(["", "job", "x", "up", "héllo", "__name__"], (writer) =>
      series2(writer, [5, 3, 1, 4], [[2, 2]]),
    );
    expect(read(first)).toEqual([-1]);
    expect(read(renumbered)).toEqual([7]);
    expect(read(request(SYMBOLS, (writer) => series2(writer, [1, 2, 3, 2], [[1, 1]])))).toEqual([-1]);
  });

  it("knows series again in a table that came before, and tells those apart that are new in it", () => {
    const symbols = new Symbols({ limit: 100 });
    const rows = [
      [1, 2, 3, 4],
      [1, 2],
      [1, 2, 3, 2],
    ];
    const read = (count: number) => {
      const bytes = request(SYMBOLS, (writer) => {
        for (const refs of rows.slice(0, count)) series2(writer, refs, [[1, 1]]);
      });
      return collect((sink) => readRemoteWrite2(bytes, symbols, sink)).seen;
    };
    const known = (count: number) => read(count).map((each) => each.known);
    expect(known(2)).toEqual([-1, -1]);
    expect(known(2)).toEqual([0, 1]);
    expect(known(2)).toEqual([0, 1]);
    expect(known(3)).toEqual([0, 1, -1]);
    expect(read(3).at(-1)).toMatchObject({ known: 2, labels: [PAIRS[0], ["job", "up"]] });
  });

  it("knows a series by its references, packed or one by one", () => {
    const symbols = new Symbols({ limit: 100 });
    const packed = request(SYMBOLS, (writer) => series2(writer, [1, 2, 3, 4], [[1, 1]]));
    const parts = request(SYMBOLS, (writer) => {
      field(writer, 5, () => {
        field(writer, 1, () => [1, 2].forEach((reference) => writer.varint(reference)));
        for (const reference of [3, 4]) {
          writer.varint(tagOf(1, VARINT));
          writer.varint(reference);
        }
      });
    });
    const read = (bytes: Uint8Array) => collect((sink) => readRemoteWrite2(bytes, symbols, sink)).seen[0];
    for (const known of [-1, 0, 0]) expect(read(packed)).toMatchObject({ known, labels: PAIRS });
    expect(read(parts)).toMatchObject({ known: 0, labels: PAIRS });
  });

  it("takes symbols behind the series that refer to them, and no such table for another", () => {
    const symbols = new Symbols({ limit: 100 });
    const read = (last: string) => {
      const bytes = message((writer) => {
        for (const symbol of SYMBOLS.slice(0, 4)) text(writer, 4, symbol);
        series2(writer, [1, 2, 3, 4], [[1, 1]]);
        text(writer, 4, last);
      });
      return collect((sink) => readRemoteWrite2(bytes, symbols, sink)).seen[0];
    };
    for (const known of [-1, 0, 0]) expect(read("a")).toMatchObject({ known });
    expect(read("b")).toMatchObject({ known: -1, labels: [PAIRS[0], ["job", "b"]] });
  });

  it("knows nobody once its symbols have begun anew, or series were forgotten", () => {
    const bytes = request(SYMBOLS, (writer) => series2(writer, [1, 2, 3, 4], [[1, 1]]));
    const small = new Symbols({ limit: 2 });
    const large = new Symbols({ limit: 100 });
    const read = (symbols: Symbols) =>
      collect((sink) => readRemoteWrite2(bytes, symbols, sink)).seen[0]?.known;
    expect([read(small), read(small), read(small)]).toEqual([-1, -1, -1]);
    expect([read(large), read(large), read(large)]).toEqual([-1, 0, 0]);
    large.forgetSeries();
    expect([read(large), read(large)]).toEqual([-1, 0]);
  });

  it("takes what a whole series says about its beginning for each of its samples", () => {
    const starts: number[] = [];
    const bytes = request(SYMBOLS, (writer) => {
      field(writer, 5, () => {
        field(writer, 1, () => [1, 2].forEach((reference) => writer.varint(reference)));
        field(writer, 2, () => sample(writer, [10, 1]));
        writer.varint(tagOf(6, VARINT));
        writer.int(7);
      });
    });
    const sink: WriteSink = { series: ({ startsMs }) => starts.push(startsMs[0] ?? NaN), metadata() {} };
    readRemoteWrite2(bytes, new Symbols({ limit: 100 }), sink);
    expect(starts).toEqual([7]);
  });

  it.each([
    ["a first symbol that is not empty", ["x"], [0, 0], "the first symbol is not empty"],
    ["a reference to nowhere", [""], [0, 7], "a label refers to symbol 7, and there are 1"],
    ["a name without a value", ["", "a"], [1], "a label has a name and no value"],
  ])("is refused with %s", (_, symbols, refs, reason) => {
    const bytes = request(symbols, (writer) => series2(writer, refs, [[1, 1]]));
    expect(() => collect((sink) => readRemoteWrite2(bytes, new Symbols({ limit: 100 }), sink))).toThrow(
      reason,
    );
  });
});
