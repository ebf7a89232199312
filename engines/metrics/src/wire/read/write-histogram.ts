import { CUSTOM_BUCKETS_SCHEMA, type Buckets, type Histogram, type ResetHint } from "../../histogram.ts";
import { spansOf } from "../chunks/spans.ts";
import { BYTES, FIXED_64, tagOf, VARINT } from "../protobuf/proto-reader.ts";
import type { ProtoWriter } from "../protobuf/proto-writer.ts";

const RESET_HINTS: readonly ResetHint[] = ["unknown", "reset", "not-reset", "gauge"];
const FLOAT = {
  count: 2,
  zeroCount: 7,
  negative: { spans: 8, counts: 10 },
  positive: { spans: 11, counts: 13 },
};

/** The fields of the message Histogram in its form with floats, which holds every count there is. */
export function writeHistogram(writer: ProtoWriter, histogram: Histogram, timestampMs: number): void {
  const { count, sum, schema, zeroThreshold, zeroCount, customBounds, resetHint } = histogram;
  writeDouble(writer, FLOAT.count, count);
  writeDouble(writer, 3, sum);
  writer.varint(tagOf(4, VARINT));
  writer.zigzag(schema);
  writeDouble(writer, 5, zeroThreshold);
  writeDouble(writer, FLOAT.zeroCount, zeroCount);
  writeSide(writer, FLOAT.negative, histogram.negative);
  writeSide(writer, FLOAT.positive, histogram.positive);
  writer.varint(tagOf(14, VARINT));
  writer.varint(RESET_HINTS.indexOf(resetHint));
  writer.varint(tagOf(15, VARINT));
  writer.int(timestampMs);
  if (schema === CUSTOM_BUCKETS_SCHEMA) writeDoubles(writer, 16, customBounds);
}

function writeSide(writer: ProtoWriter, fields: { spans: number; counts: number }, buckets: Buckets): void {
  for (const { offset, length } of spansOf(buckets)) {
    writer.varint(tagOf(fields.spans, BYTES));
    writer.within(() => {
      writer.varint(tagOf(1, VARINT));
      writer.zigzag(offset);
      writer.varint(tagOf(2, VARINT));
      writer.varint(length);
    });
  }
  if (buckets.counts.length > 0) writeDoubles(writer, fields.counts, buckets.counts);
}

function writeDoubles(writer: ProtoWriter, field: number, values: Iterable<number>): void {
  writer.varint(tagOf(field, BYTES));
  writer.within(() => {
    for (const value of values) writer.double(value);
  });
}

function writeDouble(writer: ProtoWriter, field: number, value: number): void {
  writer.varint(tagOf(field, FIXED_64));
  writer.double(value);
}
