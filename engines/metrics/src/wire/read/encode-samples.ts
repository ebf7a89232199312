import { compressSync } from "snappy";
import type { Labels } from "../../labels.ts";
import type { Series } from "../../storage.ts";
import { BYTES, FIXED_64, tagOf, VARINT } from "../protobuf/proto-reader.ts";
import { ProtoWriter } from "../protobuf/proto-writer.ts";
import { writeHistogram } from "./write-histogram.ts";

/** Makes a `prometheus.ReadResponse`, series by series; the answer of the form SAMPLES. */
export interface SamplesEncoder {
  /** What follows belongs to the next query. */
  beginQuery(): void;
  addSeries(series: Series): void;
  sizeBytes(): number;
  /** Compressed. */
  finish(): Uint8Array<ArrayBuffer>;
}

export function createSamplesEncoder(): SamplesEncoder {
  const results: Uint8Array[][] = [];
  let sizeBytes = 0;
  return {
    beginQuery: () => void results.push([]),
    addSeries(series) {
      const writer = new ProtoWriter();
      writer.varint(tagOf(1, BYTES));
      writer.within(() => writeTimeSeries(writer, series));
      const bytes = writer.finish();
      sizeBytes += bytes.length;
      results.at(-1)?.push(bytes);
    },
    sizeBytes: () => sizeBytes,
    finish() {
      const parts = results.flatMap((series) => {
        const head = new ProtoWriter();
        head.varint(tagOf(1, BYTES));
        head.varint(series.reduce((sum, each) => sum + each.length, 0));
        return [head.finish(), ...series];
      });
      return new Uint8Array(compressSync(Buffer.concat(parts), { copyOutputData: true }));
    },
  };
}

function writeTimeSeries(writer: ProtoWriter, { labels, floats, histograms }: Series): void {
  writeLabels(writer, labels);
  const { timestampsMs, values } = floats;
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  for (let index = 0; index < values.length; index++) {
    writer.varint(tagOf(2, BYTES));
    writer.within(() => {
      writer.varint(tagOf(1, FIXED_64));
      writer.doubleFrom(words, index);
      writer.varint(tagOf(2, VARINT));
      writer.int(timestampsMs[index] ?? 0);
    });
  }
  histograms?.values.forEach((histogram, index) => {
    writer.varint(tagOf(4, BYTES));
    writer.within(() => writeHistogram(writer, histogram, histograms.timestampsMs[index] ?? 0));
  });
}

/** The field 1 of TimeSeries and ChunkedSeries. */
export function writeLabels(writer: ProtoWriter, { names, values }: Labels): void {
  names.forEach((name, index) => {
    writer.varint(tagOf(1, BYTES));
    writer.within(() => {
      writer.varint(tagOf(1, BYTES));
      writer.text(name);
      writer.varint(tagOf(2, BYTES));
      writer.text(values[index] ?? "");
    });
  });
}
