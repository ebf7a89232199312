import { BYTES, FIXED_64, tagOf, VARINT } from "../protobuf/proto-reader.ts";
import { ProtoWriter } from "../protobuf/proto-writer.ts";

/** A series with some of its samples, to be sent by remote-write. */
export interface OutgoingSeries {
  /** Sorted by name, `__name__` among them. */
  labels: readonly (readonly [name: string, value: string])[];
  timestampsMs: ArrayLike<number>;
  /** Of the same length; staleness markers keep their bits. */
  values: Float64Array;
}

const LABEL = { name: tagOf(1, BYTES), value: tagOf(2, BYTES) };
const SAMPLE = { value: tagOf(1, FIXED_64), timestamp: tagOf(2, VARINT) };
const REQUEST_1 = { timeseries: tagOf(1, BYTES) };
const SERIES_1 = { labels: tagOf(1, BYTES), samples: tagOf(2, BYTES) };
const REQUEST_2 = { symbols: tagOf(4, BYTES), timeseries: tagOf(5, BYTES) };
const SERIES_2 = { labelsRefs: tagOf(1, BYTES), samples: tagOf(2, BYTES) };

/** A `prometheus.WriteRequest` of Remote-Write 1.0, not compressed yet. */
export function encodeRemoteWrite1(series: Iterable<OutgoingSeries>): Uint8Array {
  const writer = new ProtoWriter();
  for (const each of series) {
    writer.varint(REQUEST_1.timeseries);
    writer.within(() => {
      for (const [name, value] of each.labels) writeLabel(writer, name, value);
      writeSamples(writer, SERIES_1.samples, each);
    });
  }
  return writer.finish();
}

/** An `io.prometheus.write.v2.Request` of Remote-Write 2.0, not compressed yet. */
export function encodeRemoteWrite2(series: Iterable<OutgoingSeries>): Uint8Array {
  // "The first element of the symbols table MUST be an empty string." (Remote-Write 2.0, symbols)
  const symbols = new Map([["", 0]]);
  const refer = (text: string): number => {
    const known = symbols.get(text);
    if (known !== undefined) return known;
    symbols.set(text, symbols.size);
    return symbols.size - 1;
  };
  const body = new ProtoWriter();
  for (const each of series) {
    body.varint(REQUEST_2.timeseries);
    body.within(() => {
      body.varint(SERIES_2.labelsRefs);
      body.within(() => each.labels.flat().forEach((text) => body.varint(refer(text))));
      writeSamples(body, SERIES_2.samples, each);
    });
  }
  const head = new ProtoWriter();
  for (const text of symbols.keys()) {
    head.varint(REQUEST_2.symbols);
    head.text(text);
  }
  return Buffer.concat([head.finish(), body.finish()]);
}

function writeLabel(writer: ProtoWriter, name: string, value: string): void {
  writer.varint(SERIES_1.labels);
  writer.within(() => {
    writer.varint(LABEL.name);
    writer.text(name);
    writer.varint(LABEL.value);
    writer.text(value);
  });
}

function writeSamples(writer: ProtoWriter, tag: number, { timestampsMs, values }: OutgoingSeries): void {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  for (let index = 0; index < values.length; index += 1) {
    writer.varint(tag);
    writer.within(() => {
      writer.varint(SAMPLE.value);
      writer.doubleFrom(words, index);
      writer.varint(SAMPLE.timestamp);
      writer.int(timestampsMs[index] ?? 0);
    });
  }
}
