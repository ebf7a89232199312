import type { Buckets, Histogram } from "../../histogram.ts";
import { sortedBuckets } from "../buckets.ts";
import type { WrittenType } from "../write/write-request.ts";
import type {
  Attributes,
  ExponentialBuckets,
  ExponentialPoint,
  HistogramPoint,
  NumberPoint,
  OtlpExemplar,
  OtlpMetric,
  OtlpRequest,
  OtlpResource,
  SummaryPoint,
} from "./otlp-model.ts";
import { labelNameOf, metricNameOf } from "./prometheus-names.ts";

export type Label = readonly [name: string, value: string];

export interface TranslatedExemplar {
  labels: readonly Label[];
  value: number;
  timestampMs: number;
}

export interface TranslatedPoint {
  labels: readonly Label[];
  timestampMs: number;
  /** 0: not said. */
  startMs: number;
  /** The series ends here: a staleness marker stands in place of the value. */
  isStale: boolean;
  exemplars: readonly TranslatedExemplar[];
}

export interface OtlpSink {
  sample(point: TranslatedPoint & { value: number }): void;
  histogram(point: TranslatedPoint & { histogram: Histogram }): void;
  metadata(family: string, metadata: { type: WrittenType; help: string; unit: string }): void;
  /** Points that cannot be kept, to be told to the sender as a partial success. */
  reject(points: number, reason: string): void;
}

export interface TranslationOptions {
  /** Attributes of resources that become labels of every series of theirs. */
  promotedAttributes: readonly string[];
}

const NS_PER_MS = 1e6;
const SCHEMA_MAX = 8;
const SCHEMA_MIN = -4;
/** What OpenTelemetry leaves open when it says 0. (Compatibility specification, "Exponential Histograms".) */
const ZERO_THRESHOLD = 1e-128;
const IDENTITY = new Set(["service.name", "service.namespace", "service.instance.id"]);

/** Series as Prometheus would make them of a request, handed on point by point. */
export function translateOtlp(request: OtlpRequest, options: TranslationOptions, sink: OtlpSink): void {
  for (const resource of request.resources) {
    const identity = identityOf(resource);
    const common = [...identity, ...promoted(resource, options)];
    let latestMs = 0;
    for (const { metrics } of resource.scopes) {
      for (const metric of metrics) latestMs = Math.max(latestMs, translateMetric(metric, common, sink));
    }
    if (latestMs > 0) addTargetInfo(resource, identity, { latestMs, sink });
  }
}

/** What tells resources apart: job and instance. */
function identityOf({ attributes }: OtlpResource): Label[] {
  const value = (key: string) => attributes.find(([name]) => name === key)?.[1] ?? "";
  const [namespace, name, instance] = [
    value("service.namespace"),
    value("service.name"),
    value("service.instance.id"),
  ];
  const job = namespace !== "" && name !== "" ? `${namespace}/${name}` : name;
  return [
    ...(job === "" ? [] : [["job", job] as const]),
    ...(instance === "" ? [] : [["instance", instance] as const]),
  ];
}

function promoted({ attributes }: OtlpResource, { promotedAttributes }: TranslationOptions): Label[] {
  return labelsOf(attributes.filter(([key]) => promotedAttributes.includes(key)));
}

/** The other attributes of a resource, to be joined by job and instance. */
function addTargetInfo(
  { attributes }: OtlpResource,
  identity: Label[],
  { latestMs, sink }: { latestMs: number; sink: OtlpSink },
): void {
  const rest = labelsOf(attributes.filter(([key]) => !IDENTITY.has(key)));
  if (rest.length === 0 || identity.length === 0) return;
  const labels = named("target_info", [...identity, ...rest]);
  sink.sample({ labels, timestampMs: latestMs, startMs: 0, isStale: false, exemplars: [], value: 1 });
}

/** Answers the newest time of its points. */
function translateMetric(metric: OtlpMetric, common: readonly Label[], sink: OtlpSink): number {
  const { data, description: help, unit, name } = metric;
  if (data === null) return 0;
  if (data.points.length === 0) return 0;
  if ("temporality" in data && data.temporality !== "cumulative") {
    sink.reject(
      data.points.length,
      `${name}: its temporality is ${data.temporality}, only cumulative is kept`,
    );
    return 0;
  }
  const isCounter = data.kind === "sum" && data.isMonotonic;
  const isGauge = data.kind === "gauge" || (data.kind === "sum" && !data.isMonotonic);
  const family = metricNameOf({ name, unit, isCounter, isGauge });
  if (family === "" || family === "total") {
    sink.reject(data.points.length, `"${name}" leaves no name of a metric`);
    return 0;
  }
  const isHistogram = data.kind === "histogram" || data.kind === "exponential";
  const type = isHistogram
    ? "histogram"
    : data.kind === "summary"
      ? "summary"
      : isCounter
        ? "counter"
        : "gauge";
  sink.metadata(family, { type, help, unit });
  const place = { family, common, sink };
  if (data.kind === "histogram") for (const point of data.points) addHistogram(point, place);
  else if (data.kind === "exponential") for (const point of data.points) addExponential(point, place);
  else if (data.kind === "summary") for (const point of data.points) addSummary(point, place);
  else for (const point of data.points) addNumber(point, place);
  const latestNs = data.points.reduce((latest, { timeNs }) => Math.max(latest, timeNs), 0);
  return Math.floor(latestNs / NS_PER_MS);
}

interface Place {
  family: string;
  common: readonly Label[];
  sink: OtlpSink;
}

function pointOf(point: { attributes: Attributes; timeNs: number; startNs: number; isStale: boolean }) {
  const { timeNs, startNs, isStale } = point;
  return {
    timestampMs: Math.floor(timeNs / NS_PER_MS),
    startMs: Math.floor(startNs / NS_PER_MS),
    isStale,
  };
}

function addNumber(point: NumberPoint, { family, common, sink }: Place): void {
  const labels = named(family, [...common, ...labelsOf(point.attributes)]);
  sink.sample({ ...pointOf(point), labels, value: point.value, exemplars: point.exemplars.map(exemplarOf) });
}

/** Cumulative buckets with upper bounds, a sum and a count. */
function addHistogram(point: HistogramPoint, { family, common, sink }: Place): void {
  const { bounds, counts, sum, count } = point;
  if (counts.length !== 0 && counts.length !== bounds.length + 1) {
    return sink.reject(1, `${family}: ${counts.length} buckets for ${bounds.length} bounds`);
  }
  const base = [...common, ...labelsOf(point.attributes)];
  const all = point.exemplars.map(exemplarOf);
  const add = (suffix: string, value: number) =>
    sink.sample({ ...pointOf(point), labels: named(`${family}${suffix}`, base), value, exemplars: [] });
  const addBucket = (bound: number, value: number, least: number) => {
    const labels = named(`${family}_bucket`, [...base, ["le", floatText(bound)]]);
    const exemplars = all.filter((each) => each.value > least && each.value <= bound);
    sink.sample({ ...pointOf(point), labels, value, exemplars });
  };
  let total = 0;
  bounds.forEach((bound, index) => {
    total += counts[index] ?? 0;
    addBucket(bound, total, bounds[index - 1] ?? -Infinity);
  });
  addBucket(Infinity, count, bounds.at(-1) ?? -Infinity);
  if (sum !== null) add("_sum", sum);
  add("_count", count);
}

/**
 * A native histogram; one finer than Prometheus knows is made coarser, which loses nothing but resolution.
 */
function addExponential(point: ExponentialPoint, { family, common, sink }: Place): void {
  if (point.scale < SCHEMA_MIN) {
    return sink.reject(1, `${family}: a histogram of scale ${point.scale} is coarser than ${SCHEMA_MIN}`);
  }
  const halvings = Math.max(0, point.scale - SCHEMA_MAX);
  const histogram: Histogram = {
    ...{ schema: Math.min(point.scale, SCHEMA_MAX), count: point.count, sum: point.sum ?? 0 },
    ...{ zeroThreshold: point.zeroThreshold || ZERO_THRESHOLD, zeroCount: point.zeroCount },
    ...{ positive: bucketsOf(point.positive, halvings), negative: bucketsOf(point.negative, halvings) },
    ...{ customBounds: [], resetHint: "unknown" },
  };
  const labels = named(family, [...common, ...labelsOf(point.attributes)]);
  sink.histogram({ ...pointOf(point), labels, histogram, exemplars: point.exemplars.map(exemplarOf) });
}

/** OpenTelemetry's bucket i begins where Prometheus' bucket i ends: the index is one higher. */
function bucketsOf({ offset, counts }: ExponentialBuckets, halvings: number): Buckets {
  const merged = new Map<number, number>();
  counts.forEach((count, index) => {
    if (count === 0) return;
    const bucket = Math.floor((offset + index) / 2 ** halvings) + 1;
    merged.set(bucket, (merged.get(bucket) ?? 0) + count);
  });
  return sortedBuckets(merged);
}

function addSummary(point: SummaryPoint, { family, common, sink }: Place): void {
  const base = [...common, ...labelsOf(point.attributes)];
  const add = (suffix: string, value: number, more: Label[] = []) =>
    sink.sample({
      ...{ ...pointOf(point), labels: named(`${family}${suffix}`, [...base, ...more]), value, exemplars: [] },
    });
  add("_sum", point.sum);
  add("_count", point.count);
  for (const { quantile, value } of point.quantiles) add("", value, [["quantile", floatText(quantile)]]);
}

/** Labels in the order of their names; values of keys that become the same name are joined by ";". */
function labelsOf(attributes: Attributes): Label[] {
  const labels = new Map<string, string>();
  for (const [key, value] of attributes.toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const name = labelNameOf(key);
    const before = labels.get(name);
    labels.set(name, before === undefined ? value : `${before};${value}`);
  }
  return [...labels];
}

/** The last of several labels of one name is kept: a point's own attribute hides a resource's. */
function named(metric: string, labels: readonly Label[]): Label[] {
  return [...new Map<string, string>([["__name__", metric], ...labels])];
}

function exemplarOf({ attributes, timeNs, value, traceId, spanId }: OtlpExemplar): TranslatedExemplar {
  const labels: Label[] = labelsOf(attributes);
  if (traceId !== "") labels.push(["trace_id", traceId]);
  if (spanId !== "") labels.push(["span_id", spanId]);
  return { labels, value, timestampMs: Math.floor(timeNs / NS_PER_MS) };
}

/** As Go writes a float in the shortest way: what bounds are called in Prometheus. */
function floatText(value: number): string {
  if (value === Infinity) return "+Inf";
  if (value === -Infinity) return "-Inf";
  return String(value).replace(/e([+-])(\d)$/, "e$10$2");
}
