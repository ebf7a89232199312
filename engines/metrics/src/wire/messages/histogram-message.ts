import type { Buckets, Histogram, ResetHint } from "../../histogram.ts";
import { BYTES, FIXED_64, tagOf, VARINT } from "../protobuf/proto-reader.ts";
import type { ProtoWriter } from "../protobuf/proto-writer.ts";
import { spansOf } from "./spans.ts";

const RESET_HINTS: readonly ResetHint[] = ["unknown", "reset", "not-reset", "gauge"];
/** Up to here differences of counts are exact, and fit a zigzag number. */
const LARGEST_WHOLE = 2 ** 50;
const SPAN = { offset: tagOf(1, VARINT), length: tagOf(2, VARINT) };
const SUM = tagOf(3, FIXED_64);
const SCHEMA = tagOf(4, VARINT);
const ZERO_THRESHOLD = tagOf(5, FIXED_64);
const RESET_HINT = tagOf(14, VARINT);
const TIMESTAMP = tagOf(15, VARINT);
const CUSTOM_BOUNDS = tagOf(16, BYTES);
/** Integer histograms are written in differences, others in counts. */
const WHOLE = { count: tagOf(1, VARINT), zeroCount: tagOf(6, VARINT), positive: 12, negative: 9 };
const FLOAT = { count: tagOf(2, FIXED_64), zeroCount: tagOf(7, FIXED_64), positive: 13, negative: 10 };

/** The message Histogram, which is the same in remote-write 1 and 2, and in remote-read. */
export function writeHistogramMessage(
  writer: ProtoWriter,
  { timestampMs, value }: { timestampMs: number; value: Histogram },
): void {
  const isWhole = hasWholeCounts(value);
  const fields = isWhole ? WHOLE : FLOAT;
  const number = (tag: number, count: number) => {
    writer.varint(tag);
    if (isWhole) writer.varint(count);
    else writer.double(count);
  };
  const side = (buckets: Buckets, spansField: number, countsField: number) => {
    writeSpans(writer, tagOf(spansField, BYTES), buckets);
    if (buckets.counts.length === 0) return;
    writer.varint(tagOf(countsField, BYTES));
    writer.within(() => (isWhole ? writeDeltas : writeCounts)(writer, buckets.counts));
  };
  number(fields.count, value.count);
  writer.varint(SUM);
  writer.double(value.sum);
  writer.varint(SCHEMA);
  writer.zigzag(value.schema);
  writer.varint(ZERO_THRESHOLD);
  writer.double(value.zeroThreshold);
  number(fields.zeroCount, value.zeroCount);
  side(value.negative, 8, fields.negative);
  side(value.positive, 11, fields.positive);
  writer.varint(RESET_HINT);
  writer.varint(Math.max(0, RESET_HINTS.indexOf(value.resetHint)));
  writer.varint(TIMESTAMP);
  writer.int(timestampMs);
  if (value.customBounds.length === 0) return;
  writer.varint(CUSTOM_BOUNDS);
  writer.within(() => value.customBounds.forEach((bound) => writer.double(bound)));
}

function hasWholeCounts({ count, zeroCount, positive, negative }: Histogram): boolean {
  const isWhole = (each: number) => Number.isInteger(each) && each >= 0 && each <= LARGEST_WHOLE;
  return (
    isWhole(count) && isWhole(zeroCount) && positive.counts.every(isWhole) && negative.counts.every(isWhole)
  );
}

function writeSpans(writer: ProtoWriter, tag: number, buckets: Buckets): void {
  for (const { offset, length } of spansOf(buckets)) {
    writer.varint(tag);
    writer.within(() => {
      writer.varint(SPAN.offset);
      writer.zigzag(offset);
      writer.varint(SPAN.length);
      writer.varint(length);
    });
  }
}

function writeDeltas(writer: ProtoWriter, counts: Float64Array): void {
  let previous = 0;
  for (const count of counts) {
    writer.zigzag(count - previous);
    previous = count;
  }
}

function writeCounts(writer: ProtoWriter, counts: Float64Array): void {
  for (const count of counts) writer.double(count);
}
