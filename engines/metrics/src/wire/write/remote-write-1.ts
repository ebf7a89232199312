import { BYTES, FIXED_64, ProtoReader, readMessage, tagOf, VARINT } from "../protobuf/proto-reader.ts";
import { ByteIndex, type Slice } from "./byte-index.ts";
import { readHistogram } from "./read-histogram.ts";
import { SeriesDraft } from "./series-draft.ts";
import { METRIC_TYPES, type WriteSink, type WrittenExemplar, type WrittenMetadata } from "./write-request.ts";

type Pair = readonly [string, string];

const FIRST = tagOf(1, BYTES);
const SECOND = tagOf(2, BYTES);
const THIRD = tagOf(3, BYTES);
const FOURTH = tagOf(4, BYTES);

/**
 * Hands on what a `prometheus.WriteRequest` holds (remote-write 1.0), already decompressed. `keys` is kept
 * from request to request. Throws WireError at what is no such message; series before it have been handed
 * on by then.
 */
export function readRemoteWrite1(bytes: Uint8Array, sink: WriteSink, keys = new ByteIndex()): void {
  const reader = new ProtoReader(bytes);
  const key = { bytes, from: 0, to: 0 };
  const draft = new SeriesDraft({
    labels: () => readLabels(bytes, key.from, key.to),
    remember: (value) => keys.add(key, value),
  });
  while (reader.at < reader.end) {
    const tag = reader.tag();
    if (tag === FIRST) {
      readSeries(reader, draft, key);
      draft.series.known = keys.find(key);
      sink.series(draft.series);
    } else if (tag === THIRD) readMetadata(reader, sink);
    else reader.skip(tag);
  }
}

function readSeries(reader: ProtoReader, draft: SeriesDraft, key: Slice): void {
  const { series } = draft;
  const outer = reader.enter();
  draft.begin();
  let from = -1;
  let to = 0;
  while (reader.at < reader.end) {
    const start = reader.at;
    const tag = reader.tag();
    if (tag === FIRST) {
      reader.skip(tag);
      if (from === -1) from = start;
      to = reader.at;
    } else if (tag === SECOND) draft.readSample(reader);
    else if (tag === THIRD) series.exemplars = [...series.exemplars, readExemplar(reader)];
    else if (tag === FOURTH) series.histograms = [...series.histograms, readHistogram(reader)];
    else reader.skip(tag);
  }
  reader.end = outer;
  key.from = Math.max(from, 0);
  key.to = to;
  draft.end();
}

/** Every label between two places of a series; fields between them that are none are passed over. */
function readLabels(bytes: Uint8Array, from: number, to: number): Pair[] {
  const reader = new ProtoReader(bytes);
  reader.at = from;
  reader.end = to;
  const labels: Pair[] = [];
  while (reader.at < reader.end) {
    const tag = reader.tag();
    if (tag === FIRST) labels.push(readLabel(reader));
    else reader.skip(tag);
  }
  return labels;
}

function readLabel(reader: ProtoReader): Pair {
  let name = "";
  let value = "";
  readMessage(reader, (tag) => {
    if (tag === FIRST) name = reader.text();
    else if (tag === SECOND) value = reader.text();
    else return false;
    return true;
  });
  return [name, value];
}

function readExemplar(reader: ProtoReader): WrittenExemplar {
  const labels: Pair[] = [];
  const exemplar = { value: 0, timestampMs: 0 };
  readMessage(reader, (tag) => {
    if (tag === FIRST) labels.push(readLabel(reader));
    else if (tag === tagOf(2, FIXED_64)) exemplar.value = reader.double();
    else if (tag === tagOf(3, VARINT)) exemplar.timestampMs = reader.int();
    else return false;
    return true;
  });
  return { labels, ...exemplar };
}

function readMetadata(reader: ProtoReader, sink: WriteSink): void {
  const metadata: WrittenMetadata = { type: "unknown", help: "", unit: "" };
  let family = "";
  readMessage(reader, (tag) => {
    if (tag === tagOf(1, VARINT)) metadata.type = METRIC_TYPES[reader.varint()] ?? "unknown";
    else if (tag === SECOND) family = reader.text();
    else if (tag === FOURTH) metadata.help = reader.text();
    else if (tag === tagOf(5, BYTES)) metadata.unit = reader.text();
    else return false;
    return true;
  });
  sink.metadata(family, metadata);
}
