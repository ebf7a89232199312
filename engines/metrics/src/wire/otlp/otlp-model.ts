/** A value of an attribute: arrays and maps are handed on as JSON writes them. */
export type AttributeValue = string;
export type Attributes = readonly (readonly [key: string, value: AttributeValue])[];

export type Temporality = "unspecified" | "delta" | "cumulative";

interface Point {
  attributes: Attributes;
  /** 0: not said. Times lose what is finer than a microsecond. */
  startNs: number;
  timeNs: number;
  /** The flag "no recorded value": the series ends here. */
  isStale: boolean;
}

export interface OtlpExemplar {
  attributes: Attributes;
  timeNs: number;
  value: number;
  /** Hexadecimal; empty when the sample was in no trace. */
  traceId: string;
  spanId: string;
}

export interface NumberPoint extends Point {
  value: number;
  exemplars: readonly OtlpExemplar[];
}

export interface HistogramPoint extends Point {
  count: number;
  /** Null: not recorded. */
  sum: number | null;
  bounds: readonly number[];
  counts: readonly number[];
  exemplars: readonly OtlpExemplar[];
}

/** Counts from `offset` on; bucket i holds (base^i, base^(i+1)]. */
export interface ExponentialBuckets {
  offset: number;
  counts: readonly number[];
}

export interface ExponentialPoint extends Point {
  count: number;
  sum: number | null;
  scale: number;
  zeroCount: number;
  zeroThreshold: number;
  positive: ExponentialBuckets;
  negative: ExponentialBuckets;
  exemplars: readonly OtlpExemplar[];
}

export interface SummaryPoint extends Point {
  count: number;
  sum: number;
  quantiles: readonly { quantile: number; value: number }[];
}

export type OtlpData =
  | { kind: "gauge"; points: readonly NumberPoint[] }
  | { kind: "sum"; points: readonly NumberPoint[]; temporality: Temporality; isMonotonic: boolean }
  | { kind: "histogram"; points: readonly HistogramPoint[]; temporality: Temporality }
  | { kind: "exponential"; points: readonly ExponentialPoint[]; temporality: Temporality }
  | { kind: "summary"; points: readonly SummaryPoint[] };

export interface OtlpMetric {
  name: string;
  description: string;
  unit: string;
  /** Null: the metric holds no data of a kind that is known. */
  data: OtlpData | null;
}

export interface OtlpScope {
  name: string;
  version: string;
  attributes: Attributes;
  metrics: readonly OtlpMetric[];
}

export interface OtlpResource {
  attributes: Attributes;
  scopes: readonly OtlpScope[];
}

/** `ExportMetricsServiceRequest` of OTLP 1. */
export interface OtlpRequest {
  resources: readonly OtlpResource[];
}
