import { BYTES, FIXED_64, ProtoReader, readMessage, tagOf, VARINT } from "../protobuf/proto-reader.ts";
import { WireError } from "../wire-error.ts";
import type { ByteIndex } from "./byte-index.ts";
import { readHistogram } from "./read-histogram.ts";
import { References } from "./references.ts";
import type { SampleColumns } from "./sample-columns.ts";
import { SeriesDraft } from "./series-draft.ts";
import { SymbolKey, type Symbols } from "./symbols.ts";
import { METRIC_TYPES, type WriteSink, type WrittenExemplar, type WrittenMetadata } from "./write-request.ts";

const SYMBOL = tagOf(4, BYTES);
const SERIES = tagOf(5, BYTES);
const LABEL_REFS = tagOf(1, BYTES);
const UNPACKED_REF = tagOf(1, VARINT);
const SAMPLE = tagOf(2, BYTES);
const HISTOGRAM = tagOf(3, BYTES);
const EXEMPLAR = tagOf(4, BYTES);
const METADATA = tagOf(5, BYTES);
const CREATED = tagOf(6, VARINT);

/** The table of one request: where its texts lie, and what they are called here. */
interface Table {
  textOf(reference: number): string;
  idOf(reference: number): number;
  /** Of series by their packed references; null where the table is not known. */
  keys: ByteIndex | null;
}

/**
 * Hands on what an `io.prometheus.write.v2.Request` holds, already decompressed. `symbols` is kept from
 * request to request. Throws WireError at what is no such message; series before it have been handed on by
 * then.
 */
export function readRemoteWrite2(bytes: Uint8Array, symbols: Symbols, sink: WriteSink): void {
  symbols.makeRoom();
  const reader = new ProtoReader(bytes);
  const table = readTable(reader, symbols);
  const key = new SymbolKey();
  const refs = new References();
  const draft = new SeriesDraft({
    labels: () => labelsOf(refs.list(), table),
    remember: (value) => symbols.keys.add(key.slice, value),
  });
  const place: Place = { reader, table, draft, refs, key, keys: symbols.keys };
  reader.at = 0;
  while (reader.at < reader.end) {
    const tag = reader.tag();
    if (tag !== SERIES) {
      reader.skip(tag);
      continue;
    }
    readSeries(place);
    draft.series.known = findSeries(place);
    sink.series(draft.series);
  }
}

/**
 * In a known table the series is sought by its references as they are written. Else, and when it is new
 * there, by what they stand for: most new tables bring series that came with others.
 */
function findSeries({ table, refs, key, keys }: Place): number {
  const packed = refs.packed();
  const near = table.keys === null || packed === null ? -1 : table.keys.find(packed);
  if (near !== -1) return near;
  key.clear();
  const { length } = refs;
  for (let index = 0; index < length; index++) key.add(table.idOf(refs.at(index)));
  const known = keys.find(key.slice);
  if (known !== -1 && packed !== null) table.keys?.add(packed, known);
  return known;
}

/** The table may stand behind the series that refer to it: it is read in a pass of its own. */
function readTable(reader: ProtoReader, symbols: Symbols): Table {
  const places = new References();
  let end = 0;
  let isAtHead = true;
  while (reader.at < reader.end) {
    const start = reader.at;
    const tag = reader.tag();
    if (tag !== SYMBOL) {
      reader.skip(tag);
      continue;
    }
    if (start !== end) isAtHead = false;
    const outer = reader.enter();
    places.add(reader.at);
    places.add(reader.end);
    end = reader.at = reader.end;
    reader.end = outer;
  }
  if (places.length > 0 && places.at(0) !== places.at(1))
    throw new WireError("the first symbol is not empty");
  const count = places.length / 2;
  const known = isAtHead ? symbols.tables.find(reader.bytes.subarray(0, end), count) : null;
  const ids = known?.ids ?? new Uint32Array(count);
  // Most of a request that is known needs none of them; new series share theirs.
  const texts: (string | undefined)[] = [];
  const textOf = (reference: number): string => {
    if (reference >= count)
      throw new WireError(`a label refers to symbol ${reference}, and there are ${count}`);
    return (texts[reference] ??= reader.slice(places.at(reference * 2), places.at(reference * 2 + 1)));
  };
  return {
    textOf,
    idOf: (reference) => ids[reference] || (ids[reference] = symbols.idOf(textOf(reference))),
    keys: known?.keys ?? null,
  };
}

interface Place {
  reader: ProtoReader;
  table: Table;
  draft: SeriesDraft;
  refs: References;
  key: SymbolKey;
  keys: ByteIndex;
}

function readSeries({ reader, table, draft, refs }: Place): void {
  const { series, columns } = draft;
  const outer = reader.enter();
  draft.begin();
  refs.clear();
  let createdMs = 0;
  while (reader.at < reader.end) {
    const tag = reader.tag();
    if (tag === LABEL_REFS) refs.read(reader);
    else if (tag === SAMPLE) draft.readSample(reader);
    else if (tag === HISTOGRAM) series.histograms = [...series.histograms, readHistogram(reader)];
    else if (tag === EXEMPLAR) series.exemplars = [...series.exemplars, readExemplar(reader, table)];
    else if (tag === METADATA) series.metadata = readMetadata(reader, table);
    else if (tag === CREATED) createdMs = reader.int();
    else if (tag === UNPACKED_REF) refs.add(reader.varint());
    else reader.skip(tag);
  }
  reader.end = outer;
  if (createdMs !== 0) addStart(columns, createdMs);
  draft.end();
}

/** The first version of the protocol said for a whole series since when it counts. */
function addStart(columns: SampleColumns, createdMs: number): void {
  for (let index = 0; index < columns.length; index++) {
    if (columns.startsMs[index] === 0) columns.startsMs[index] = createdMs;
  }
}

function labelsOf(refs: readonly number[], table: Table): (readonly [string, string])[] {
  if (refs.length % 2 !== 0) throw new WireError("a label has a name and no value");
  return Array.from({ length: refs.length / 2 }, (_, index) => [
    table.textOf(refs[index * 2] ?? 0),
    table.textOf(refs[index * 2 + 1] ?? 0),
  ]);
}

function readExemplar(reader: ProtoReader, table: Table): WrittenExemplar {
  const exemplar = { value: 0, timestampMs: 0 };
  const refs = new References();
  readMessage(reader, (tag) => {
    if (tag === LABEL_REFS) refs.read(reader);
    else if (tag === UNPACKED_REF) refs.add(reader.varint());
    else if (tag === tagOf(2, FIXED_64)) exemplar.value = reader.double();
    else if (tag === tagOf(3, VARINT)) exemplar.timestampMs = reader.int();
    else return false;
    return true;
  });
  return { labels: labelsOf(refs.list(), table), ...exemplar };
}

function readMetadata(reader: ProtoReader, table: Table): WrittenMetadata {
  const metadata: WrittenMetadata = { type: "unknown", help: "", unit: "" };
  readMessage(reader, (tag) => {
    if (tag === tagOf(1, VARINT)) metadata.type = METRIC_TYPES[reader.varint()] ?? "unknown";
    else if (tag === tagOf(3, VARINT)) metadata.help = table.textOf(reader.varint());
    else if (tag === tagOf(4, VARINT)) metadata.unit = table.textOf(reader.varint());
    else return false;
    return true;
  });
  return metadata;
}
