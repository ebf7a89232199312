import type { Histogram } from "../../histogram.ts";
import { BYTES, FIXED_64, tagOf, VARINT } from "../protobuf/proto-reader.ts";
import { ProtoWriter } from "../protobuf/proto-writer.ts";
import { writeHistogramMessage } from "../messages/histogram-message.ts";
import {
  samplesWriter,
  writeLabel,
  writeLabels,
  type OutgoingLabels,
  type OutgoingSamples,
} from "../messages/series-messages.ts";
import { METRIC_TYPES, type WrittenExemplar } from "./write-request.ts";

/** A series with some of its samples, to be sent by remote-write. */
export interface OutgoingSeries extends OutgoingSamples {
  labels: OutgoingLabels;
  histograms?: readonly { timestampMs: number; value: Histogram }[];
  exemplars?: readonly WrittenExemplar[];
  /** Goes with each series in version 2; version 1 has it on its own. */
  metadata?: OutgoingMetadata | null;
}

export interface OutgoingMetadata {
  /** The family, which a histogram's series have as the beginning of their names. */
  metric: string;
  type: string;
  help: string;
  unit: string;
}

const EXEMPLAR = { labels: tagOf(1, BYTES), value: tagOf(2, FIXED_64), timestamp: tagOf(3, VARINT) };
const REQUEST_1 = { timeseries: tagOf(1, BYTES), metadata: tagOf(3, BYTES) };
const SERIES_1 = {
  ...{ samples: tagOf(2, BYTES), exemplars: tagOf(3, BYTES), histograms: tagOf(4, BYTES) },
};
const METADATA_1 = {
  ...{ type: tagOf(1, VARINT), family: tagOf(2, BYTES), help: tagOf(4, BYTES), unit: tagOf(5, BYTES) },
};
const REQUEST_2 = { symbols: tagOf(4, BYTES), timeseries: tagOf(5, BYTES) };
const SERIES_2 = {
  ...{ labelsRefs: tagOf(1, BYTES), samples: tagOf(2, BYTES), histograms: tagOf(3, BYTES) },
  ...{ exemplars: tagOf(4, BYTES), metadata: tagOf(5, BYTES) },
};
const METADATA_2 = { type: tagOf(1, VARINT), help: tagOf(3, VARINT), unit: tagOf(4, VARINT) };

/** A `prometheus.WriteRequest` of Remote-Write 1.0, not compressed yet. */
export function encodeRemoteWrite1(
  series: Iterable<OutgoingSeries>,
  metadata: Iterable<OutgoingMetadata> = [],
): Uint8Array {
  const writer = new ProtoWriter();
  const writeSamples = samplesWriter(writer, SERIES_1.samples);
  for (const each of series) {
    writer.varint(REQUEST_1.timeseries);
    writer.within(() => {
      writeLabels(writer, each.labels);
      writeSamples(each);
      for (const exemplar of each.exemplars ?? [])
        writeMessage(writer, SERIES_1.exemplars, () => {
          for (const [name, value] of exemplar.labels) writeLabel(writer, name, value);
          writeExemplarValue(writer, exemplar);
        });
      writeHistograms(writer, SERIES_1.histograms, each);
    });
  }
  for (const each of metadata) writeMetadata1(writer, each);
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
  const writeSamples = samplesWriter(body, SERIES_2.samples);
  const writePair = (name: string, value: string) => {
    body.varint(refer(name));
    body.varint(refer(value));
  };
  for (const each of series) {
    body.varint(REQUEST_2.timeseries);
    body.within(() => {
      const { names, values } = each.labels;
      writeMessage(body, SERIES_2.labelsRefs, () =>
        names.forEach((name, at) => writePair(name, values[at] ?? "")),
      );
      writeSamples(each);
      writeHistograms(body, SERIES_2.histograms, each);
      for (const exemplar of each.exemplars ?? [])
        writeMessage(body, SERIES_2.exemplars, () => {
          writeMessage(body, EXEMPLAR.labels, () =>
            exemplar.labels.forEach(([name, value]) => writePair(name, value)),
          );
          writeExemplarValue(body, exemplar);
        });
      if (each.metadata) writeMetadata2(body, each.metadata, refer);
    });
  }
  const head = new ProtoWriter();
  for (const text of symbols.keys()) {
    head.varint(REQUEST_2.symbols);
    head.text(text);
  }
  return Buffer.concat([head.finish(), body.finish()]);
}

function writeHistograms(writer: ProtoWriter, tag: number, { histograms = [] }: OutgoingSeries): void {
  for (const each of histograms) {
    writer.varint(tag);
    writer.within(() => writeHistogramMessage(writer, each));
  }
}

function writeExemplarValue(writer: ProtoWriter, { value, timestampMs }: WrittenExemplar): void {
  writer.varint(EXEMPLAR.value);
  writer.double(value);
  writer.varint(EXEMPLAR.timestamp);
  writer.int(timestampMs);
}

function writeMessage(writer: ProtoWriter, tag: number, write: () => void): void {
  writer.varint(tag);
  writer.within(write);
}

function writeMetadata1(writer: ProtoWriter, { metric, type, help, unit }: OutgoingMetadata): void {
  writer.varint(REQUEST_1.metadata);
  writer.within(() => {
    writer.varint(METADATA_1.type);
    writer.varint(typeNumber(type));
    const texts = [
      [METADATA_1.family, metric],
      [METADATA_1.help, help],
      [METADATA_1.unit, unit],
    ] as const;
    for (const [tag, text] of texts) {
      writer.varint(tag);
      writer.text(text);
    }
  });
}

function writeMetadata2(
  writer: ProtoWriter,
  { type, help, unit }: OutgoingMetadata,
  refer: (text: string) => number,
): void {
  writer.varint(SERIES_2.metadata);
  writer.within(() => {
    writer.varint(METADATA_2.type);
    writer.varint(typeNumber(type));
    writer.varint(METADATA_2.help);
    writer.varint(refer(help));
    writer.varint(METADATA_2.unit);
    writer.varint(refer(unit));
  });
}

function typeNumber(type: string): number {
  return Math.max(
    0,
    METRIC_TYPES.findIndex((each) => each === type),
  );
}
