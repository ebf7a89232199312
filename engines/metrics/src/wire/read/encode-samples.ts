import { compressSync } from "snappy";
import type { Series } from "../../storage.ts";
import { writeHistogramMessage } from "../messages/histogram-message.ts";
import { samplesWriter, writeLabels } from "../messages/series-messages.ts";
import { BYTES, tagOf } from "../protobuf/proto-reader.ts";
import { ProtoWriter } from "../protobuf/proto-writer.ts";

const SAMPLES = tagOf(2, BYTES);
const HISTOGRAMS = tagOf(4, BYTES);

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
  samplesWriter(writer, SAMPLES)(floats);
  histograms?.values.forEach((value, index) => {
    writer.varint(HISTOGRAMS);
    const timestampMs = histograms.timestampsMs[index] ?? 0;
    writer.within(() => writeHistogramMessage(writer, { timestampMs, value }));
  });
}
