import {
  BYTES,
  FIXED_64,
  ProtoReader,
  readFields,
  readMessage,
  readRepeated,
  tagOf,
  VARINT,
} from "../protobuf/proto-reader.ts";
import { readAttribute, readBytesAsHex } from "./read-attributes.ts";
import type {
  ExponentialBuckets,
  ExponentialPoint,
  HistogramPoint,
  NumberPoint,
  OtlpData,
  OtlpExemplar,
  OtlpMetric,
  OtlpRequest,
  OtlpResource,
  OtlpScope,
  SummaryPoint,
  Temporality,
} from "./otlp-model.ts";

type Draft<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

const TEMPORALITIES: readonly Temporality[] = ["unspecified", "delta", "cumulative"];
const NO_RECORDED_VALUE = 1;
const FIRST = tagOf(1, BYTES);
const SECOND = tagOf(2, BYTES);
const THIRD = tagOf(3, BYTES);

/** `ExportMetricsServiceRequest` from its protobuf bytes. Throws WireError. */
export function readOtlp(bytes: Uint8Array): OtlpRequest {
  const reader = new ProtoReader(bytes);
  const resources: OtlpResource[] = [];
  readFields(reader, (tag) => {
    if (tag !== FIRST) return false;
    resources.push(readResource(reader));
    return true;
  });
  return { resources };
}

function readResource(reader: ProtoReader): OtlpResource {
  const resource: Draft<OtlpResource> = { attributes: [], scopes: [] };
  readMessage(reader, (tag) => {
    if (tag === FIRST) readAttributesOf(reader, 1, resource.attributes);
    else if (tag === SECOND) resource.scopes.push(readScope(reader));
    else return false;
    return true;
  });
  return resource;
}

/** A message of which only the attributes matter. */
function readAttributesOf(reader: ProtoReader, field: number, into: Draft<OtlpResource>["attributes"]): void {
  readMessage(reader, (tag) => {
    if (tag !== tagOf(field, BYTES)) return false;
    into.push(readAttribute(reader));
    return true;
  });
}

function readScope(reader: ProtoReader): OtlpScope {
  const scope: Draft<OtlpScope> = { name: "", version: "", attributes: [], metrics: [] };
  readMessage(reader, (tag) => {
    if (tag === SECOND) scope.metrics.push(readMetric(reader));
    else if (tag === FIRST) {
      readMessage(reader, (inner) => {
        if (inner === FIRST) scope.name = reader.text();
        else if (inner === SECOND) scope.version = reader.text();
        else if (inner === THIRD) scope.attributes.push(readAttribute(reader));
        else return false;
        return true;
      });
    } else return false;
    return true;
  });
  return scope;
}

function readMetric(reader: ProtoReader): OtlpMetric {
  const metric: Draft<OtlpMetric> = { name: "", description: "", unit: "", data: null };
  const kinds: Record<number, (data: DataDraft) => OtlpData> = {
    [tagOf(5, BYTES)]: ({ points }) => ({ kind: "gauge", points: points(readNumberPoint) }),
    [tagOf(7, BYTES)]: ({ points, ...facts }) => ({
      ...{ kind: "sum", points: points(readNumberPoint) },
      ...{ temporality: facts.temporality, isMonotonic: facts.isMonotonic },
    }),
    [tagOf(9, BYTES)]: ({ points, temporality }) => ({
      ...{ kind: "histogram", points: points(readHistogramPoint), temporality },
    }),
    [tagOf(10, BYTES)]: ({ points, temporality }) => ({
      ...{ kind: "exponential", points: points(readExponentialPoint), temporality },
    }),
    [tagOf(11, BYTES)]: ({ points }) => ({ kind: "summary", points: points(readSummaryPoint) }),
  };
  readMessage(reader, (tag) => {
    const kind = kinds[tag];
    if (kind) metric.data = kind(readData(reader));
    else if (tag === FIRST) metric.name = reader.text();
    else if (tag === SECOND) metric.description = reader.text();
    else if (tag === THIRD) metric.unit = reader.text();
    else return false;
    return true;
  });
  return metric;
}

interface DataDraft {
  temporality: Temporality;
  isMonotonic: boolean;
  points<T>(read: (reader: ProtoReader) => T): T[];
}

/** Gauge, Sum, Histogram, ExponentialHistogram and Summary number their fields alike. */
function readData(reader: ProtoReader): DataDraft {
  const places: [from: number, to: number][] = [];
  let temporality: Temporality = "unspecified";
  let isMonotonic = false;
  readMessage(reader, (tag) => {
    if (tag === FIRST) {
      const from = reader.at;
      reader.skip(tag);
      places.push([from, reader.at]);
    } else if (tag === tagOf(2, VARINT)) temporality = TEMPORALITIES[reader.varint()] ?? "unspecified";
    else if (tag === tagOf(3, VARINT)) isMonotonic = reader.varint() !== 0;
    else return false;
    return true;
  });
  return {
    ...{ temporality, isMonotonic },
    points: (read) =>
      places.map(([from, to]) => {
        const point = new ProtoReader(reader.bytes);
        point.at = from;
        point.end = to;
        return read(point);
      }),
  };
}

const TIMES = { startNs: 0, timeNs: 0, isStale: false };

function readNumberPoint(reader: ProtoReader): NumberPoint {
  const point: Draft<NumberPoint> = { ...TIMES, attributes: [], value: 0, exemplars: [] };
  readMessage(reader, (tag) => {
    if (readTimes(reader, tag, point)) return true;
    if (tag === tagOf(4, FIXED_64)) point.value = reader.double();
    else if (tag === tagOf(6, FIXED_64)) point.value = reader.sfixed64();
    else if (tag === tagOf(7, BYTES)) point.attributes.push(readAttribute(reader));
    else if (tag === tagOf(5, BYTES)) point.exemplars.push(readExemplar(reader));
    else if (tag === tagOf(8, VARINT)) point.isStale = isStaleFlag(reader.varint());
    else return false;
    return true;
  });
  return point;
}

function readHistogramPoint(reader: ProtoReader): HistogramPoint {
  const point: Draft<HistogramPoint> = {
    ...{ ...TIMES, attributes: [], exemplars: [] },
    ...{ count: 0, sum: null, bounds: [], counts: [] },
  };
  readMessage(reader, (tag) => {
    if (readTimes(reader, tag, point)) return true;
    const field = tag >>> 3;
    if (tag === tagOf(4, FIXED_64)) point.count = reader.fixed64();
    else if (tag === tagOf(5, FIXED_64)) point.sum = reader.double();
    else if (field === 6) {
      readRepeated(reader, tag, { read: () => reader.fixed64(), add: (count) => point.counts.push(count) });
    } else if (field === 7) {
      readRepeated(reader, tag, { read: () => reader.double(), add: (bound) => point.bounds.push(bound) });
    } else if (tag === tagOf(8, BYTES)) point.exemplars.push(readExemplar(reader));
    else if (tag === tagOf(9, BYTES)) point.attributes.push(readAttribute(reader));
    else if (tag === tagOf(10, VARINT)) point.isStale = isStaleFlag(reader.varint());
    else return false;
    return true;
  });
  return point;
}

function readExponentialPoint(reader: ProtoReader): ExponentialPoint {
  const point: Draft<ExponentialPoint> = {
    ...{ ...TIMES, attributes: [], exemplars: [], count: 0, sum: null, scale: 0, zeroCount: 0 },
    ...{ zeroThreshold: 0, positive: { offset: 0, counts: [] }, negative: { offset: 0, counts: [] } },
  };
  readMessage(reader, (tag) => {
    if (readTimes(reader, tag, point)) return true;
    if (tag === FIRST) point.attributes.push(readAttribute(reader));
    else if (tag === tagOf(4, FIXED_64)) point.count = reader.fixed64();
    else if (tag === tagOf(5, FIXED_64)) point.sum = reader.double();
    else if (tag === tagOf(6, VARINT)) point.scale = reader.zigzag();
    else if (tag === tagOf(7, FIXED_64)) point.zeroCount = reader.fixed64();
    else if (tag === tagOf(8, BYTES)) point.positive = readBuckets(reader);
    else if (tag === tagOf(9, BYTES)) point.negative = readBuckets(reader);
    else if (tag === tagOf(10, VARINT)) point.isStale = isStaleFlag(reader.varint());
    else if (tag === tagOf(11, BYTES)) point.exemplars.push(readExemplar(reader));
    else if (tag === tagOf(14, FIXED_64)) point.zeroThreshold = reader.double();
    else return false;
    return true;
  });
  return point;
}

function readBuckets(reader: ProtoReader): ExponentialBuckets {
  const buckets: Draft<ExponentialBuckets> = { offset: 0, counts: [] };
  readMessage(reader, (tag) => {
    if (tag === tagOf(1, VARINT)) buckets.offset = reader.zigzag();
    else if (tag >>> 3 === 2) {
      readRepeated(reader, tag, { read: () => reader.varint(), add: (count) => buckets.counts.push(count) });
    } else return false;
    return true;
  });
  return buckets;
}

function readSummaryPoint(reader: ProtoReader): SummaryPoint {
  const point: Draft<SummaryPoint> = { ...TIMES, attributes: [], count: 0, sum: 0, quantiles: [] };
  readMessage(reader, (tag) => {
    if (readTimes(reader, tag, point)) return true;
    if (tag === tagOf(4, FIXED_64)) point.count = reader.fixed64();
    else if (tag === tagOf(5, FIXED_64)) point.sum = reader.double();
    else if (tag === tagOf(6, BYTES)) point.quantiles.push(readQuantile(reader));
    else if (tag === tagOf(7, BYTES)) point.attributes.push(readAttribute(reader));
    else if (tag === tagOf(8, VARINT)) point.isStale = isStaleFlag(reader.varint());
    else return false;
    return true;
  });
  return point;
}

function readQuantile(reader: ProtoReader): { quantile: number; value: number } {
  const pair = { quantile: 0, value: 0 };
  readMessage(reader, (tag) => {
    if (tag === tagOf(1, FIXED_64)) pair.quantile = reader.double();
    else if (tag === tagOf(2, FIXED_64)) pair.value = reader.double();
    else return false;
    return true;
  });
  return pair;
}

/** The fields 2 and 3 of every kind of point. */
function readTimes(reader: ProtoReader, tag: number, point: { startNs: number; timeNs: number }): boolean {
  if (tag === tagOf(2, FIXED_64)) point.startNs = reader.fixed64();
  else if (tag === tagOf(3, FIXED_64)) point.timeNs = reader.fixed64();
  else return false;
  return true;
}

function isStaleFlag(flags: number): boolean {
  return flags % 2 === NO_RECORDED_VALUE;
}

function readExemplar(reader: ProtoReader): OtlpExemplar {
  const exemplar: Draft<OtlpExemplar> = { attributes: [], timeNs: 0, value: 0, traceId: "", spanId: "" };
  readMessage(reader, (tag) => {
    if (tag === tagOf(2, FIXED_64)) exemplar.timeNs = reader.fixed64();
    else if (tag === tagOf(3, FIXED_64)) exemplar.value = reader.double();
    else if (tag === tagOf(4, BYTES)) exemplar.spanId = readBytesAsHex(reader);
    else if (tag === tagOf(5, BYTES)) exemplar.traceId = readBytesAsHex(reader);
    else if (tag === tagOf(6, FIXED_64)) exemplar.value = reader.sfixed64();
    else if (tag === tagOf(7, BYTES)) exemplar.attributes.push(readAttribute(reader));
    else return false;
    return true;
  });
  return exemplar;
}
