import { BYTES, FIXED_64, tagOf, VARINT } from "../protobuf/proto-reader.ts";
import type { ProtoWriter } from "../protobuf/proto-writer.ts";

/** Names, `__name__` among them, in their order, and the value of each. */
export interface OutgoingLabels {
  readonly names: readonly string[];
  readonly values: readonly string[];
}

export interface OutgoingSamples {
  timestampsMs: ArrayLike<number>;
  /** Of the same length; staleness markers keep their bits. */
  values: Float64Array;
  /**
   * Where its samples begin and end in the columns, which many series may share; all of them unless given.
   */
  from?: number;
  to?: number;
}

const LABELS = tagOf(1, BYTES);
const LABEL = { name: tagOf(1, BYTES), value: tagOf(2, BYTES) };
const SAMPLE = { value: tagOf(1, FIXED_64), timestamp: tagOf(2, VARINT) };

/** The labels of a TimeSeries, a ChunkedSeries or an Exemplar, which have them as their first field. */
export function writeLabels(writer: ProtoWriter, { names, values }: OutgoingLabels): void {
  names.forEach((name, at) => writeLabel(writer, name, values[at] ?? ""));
}

export function writeLabel(writer: ProtoWriter, name: string, value: string): void {
  writer.varint(LABELS);
  writer.within(() => {
    writer.varint(LABEL.name);
    writer.text(name);
    writer.varint(LABEL.value);
    writer.text(value);
  });
}

/** Writes samples as fields of this tag. Columns that series share are looked at as words once. */
export function samplesWriter(writer: ProtoWriter, tag: number): (samples: OutgoingSamples) => void {
  let column: Float64Array | null = null;
  let words: Uint32Array = new Uint32Array(0);
  return ({ timestampsMs, values, from = 0, to = values.length }) => {
    if (values !== column) words = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
    column = values;
    for (let index = from; index < to; index += 1) {
      writer.varint(tag);
      writer.within(() => {
        writer.varint(SAMPLE.value);
        writer.doubleFrom(words, index);
        writer.varint(SAMPLE.timestamp);
        writer.int(timestampsMs[index] ?? 0);
      });
    }
  };
}
