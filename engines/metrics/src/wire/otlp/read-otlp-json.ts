import { WireError } from "../wire-error.ts";
import type {
  Attributes,
  ExponentialBuckets,
  OtlpData,
  OtlpExemplar,
  OtlpMetric,
  OtlpRequest,
  Temporality,
} from "./otlp-model.ts";
import { textOf, type AnyValue } from "./read-attributes.ts";

const TEMPORALITIES: readonly Temporality[] = ["unspecified", "delta", "cumulative"];
const TEMPORALITY_PREFIX = "AGGREGATION_TEMPORALITY_";

/**
 * `ExportMetricsServiceRequest` from its JSON: names in camel case, 64-bit numbers as texts or numbers,
 * enumerations as numbers or names, identifiers in hexadecimal. (OTLP 1, "JSON Protobuf Encoding".) Throws
 * WireError that says where.
 */
export function readOtlpJson(text: string): OtlpRequest {
  const request = new Node(parse(text), "");
  return {
    resources: request.list("resourceMetrics").map((resource) => ({
      attributes: attributesOf(resource.node("resource")),
      scopes: resource.list("scopeMetrics").map((scope) => ({
        name: scope.node("scope").text("name"),
        version: scope.node("scope").text("version"),
        attributes: attributesOf(scope.node("scope")),
        metrics: scope.list("metrics").map(metricOf),
      })),
    })),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new WireError("the body is no JSON", { cause: error });
  }
}

/** A place in the document: what is absent reads as nothing, what is of the wrong kind is refused. */
class Node {
  readonly #value: unknown;
  readonly path: string;

  constructor(value: unknown, path: string) {
    this.#value = value;
    this.path = path;
  }

  get isAbsent(): boolean {
    return this.#value === undefined || this.#value === null;
  }

  node(name: string): Node {
    if (this.isAbsent) return this.#child(undefined, name);
    if (typeof this.#value !== "object") throw this.#refusal("an object");
    return this.#child(Reflect.get(this.#value ?? {}, name), name);
  }

  list(name: string): Node[] {
    const child = this.node(name);
    if (child.isAbsent) return [];
    if (!Array.isArray(child.#value)) throw child.#refusal("an array");
    return child.#value.map((value: unknown, index) => new Node(value, `${child.path}[${index}]`));
  }

  text(name: string): string {
    const child = this.node(name);
    if (child.isAbsent) return "";
    if (typeof child.#value !== "string") throw child.#refusal("a text");
    return child.#value;
  }

  number(name: string): number {
    return this.node(name).asNumber();
  }

  numberOrNull(name: string): number | null {
    const child = this.node(name);
    return child.isAbsent ? null : child.asNumber();
  }

  numbers(name: string): number[] {
    return this.list(name).map((each) => each.asNumber());
  }

  asNumber(): number {
    const value = this.#value;
    if (this.isAbsent) return 0;
    if (typeof value === "number") return value;
    if (typeof value !== "string" || value.trim() === "") throw this.#refusal("a number");
    const number = Number(value);
    // "NaN" and "Infinity" are written so.
    if (Number.isNaN(number) && value !== "NaN") throw this.#refusal("a number");
    return number;
  }

  isTrue(name: string): boolean {
    const child = this.node(name);
    if (child.isAbsent) return false;
    if (typeof child.#value !== "boolean") throw child.#refusal("true or false");
    return child.#value;
  }

  /** Of a field that is a number or one of these names behind a prefix. */
  oneOf<T extends string>(name: string, names: readonly T[], prefix: string): T | undefined {
    const child = this.node(name);
    if (typeof child.#value !== "string") return names[child.asNumber()];
    const written = child.#value;
    return names.find((each) => `${prefix}${each.toUpperCase()}` === written) ?? names[Number(written)];
  }

  #child(value: unknown, name: string): Node {
    return new Node(value, this.path === "" ? name : `${this.path}.${name}`);
  }

  #refusal(expected: string): WireError {
    return new WireError(`${this.path === "" ? "the body" : this.path} is not ${expected}`);
  }
}

function attributesOf(owner: Node): Attributes {
  return owner.list("attributes").map((each) => [each.text("key"), textOf(valueOf(each.node("value")))]);
}

function valueOf(node: Node): AnyValue {
  if (!node.node("stringValue").isAbsent) return node.text("stringValue");
  if (!node.node("boolValue").isAbsent) return node.isTrue("boolValue");
  if (!node.node("intValue").isAbsent) return node.number("intValue");
  if (!node.node("doubleValue").isAbsent) return node.number("doubleValue");
  if (!node.node("bytesValue").isAbsent) return node.text("bytesValue");
  if (!node.node("arrayValue").isAbsent) return node.node("arrayValue").list("values").map(valueOf);
  const pairs = node.node("kvlistValue").list("values");
  if (pairs.length === 0) return null;
  return Object.fromEntries(pairs.map((each) => [each.text("key"), valueOf(each.node("value"))]));
}

function metricOf(node: Node): OtlpMetric {
  return {
    name: node.text("name"),
    description: node.text("description"),
    unit: node.text("unit"),
    data: dataOf(node),
  };
}

function dataOf(metric: Node): OtlpData | null {
  const [gauge, sum] = [metric.node("gauge"), metric.node("sum")];
  const [histogram, exponential] = [metric.node("histogram"), metric.node("exponentialHistogram")];
  const summary = metric.node("summary");
  if (!gauge.isAbsent) return { kind: "gauge", points: gauge.list("dataPoints").map(numberPointOf) };
  if (!sum.isAbsent) {
    const points = sum.list("dataPoints").map(numberPointOf);
    return { kind: "sum", points, temporality: temporalityOf(sum), isMonotonic: sum.isTrue("isMonotonic") };
  }
  if (!histogram.isAbsent) {
    const points = histogram.list("dataPoints").map(histogramPointOf);
    return { kind: "histogram", points, temporality: temporalityOf(histogram) };
  }
  if (!exponential.isAbsent) {
    const points = exponential.list("dataPoints").map(exponentialPointOf);
    return { kind: "exponential", points, temporality: temporalityOf(exponential) };
  }
  if (summary.isAbsent) return null;
  return { kind: "summary", points: summary.list("dataPoints").map(summaryPointOf) };
}

function temporalityOf(data: Node): Temporality {
  return data.oneOf("aggregationTemporality", TEMPORALITIES, TEMPORALITY_PREFIX) ?? "unspecified";
}

function pointOf(point: Node) {
  return {
    attributes: attributesOf(point),
    startNs: point.number("startTimeUnixNano"),
    timeNs: point.number("timeUnixNano"),
    isStale: point.number("flags") % 2 === 1,
  };
}

function numberPointOf(point: Node) {
  const value = point.numberOrNull("asDouble") ?? point.number("asInt");
  return { ...pointOf(point), value, exemplars: point.list("exemplars").map(exemplarOf) };
}

function histogramPointOf(point: Node) {
  return {
    ...pointOf(point),
    count: point.number("count"),
    sum: point.numberOrNull("sum"),
    bounds: point.numbers("explicitBounds"),
    counts: point.numbers("bucketCounts"),
    exemplars: point.list("exemplars").map(exemplarOf),
  };
}

function exponentialPointOf(point: Node) {
  return {
    ...pointOf(point),
    count: point.number("count"),
    sum: point.numberOrNull("sum"),
    scale: point.number("scale"),
    zeroCount: point.number("zeroCount"),
    zeroThreshold: point.number("zeroThreshold"),
    positive: bucketsOf(point.node("positive")),
    negative: bucketsOf(point.node("negative")),
    exemplars: point.list("exemplars").map(exemplarOf),
  };
}

function bucketsOf(buckets: Node): ExponentialBuckets {
  return { offset: buckets.number("offset"), counts: buckets.numbers("bucketCounts") };
}

function summaryPointOf(point: Node) {
  const quantiles = point.list("quantileValues").map((each) => ({
    quantile: each.number("quantile"),
    value: each.number("value"),
  }));
  return { ...pointOf(point), count: point.number("count"), sum: point.number("sum"), quantiles };
}

function exemplarOf(exemplar: Node): OtlpExemplar {
  return {
    attributes: exemplar
      .list("filteredAttributes")
      .map((each) => [each.text("key"), textOf(valueOf(each.node("value")))]),
    timeNs: exemplar.number("timeUnixNano"),
    value: exemplar.numberOrNull("asDouble") ?? exemplar.number("asInt"),
    traceId: exemplar.text("traceId"),
    spanId: exemplar.text("spanId"),
  };
}
