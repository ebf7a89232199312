import type { Histogram } from "../histogram.ts";
import type { Labels } from "../labels.ts";

/** Floats of many series, in columns that a reader of requests can use again and again. */
export interface SampleBatch {
  /** What `resolve` said for each series. */
  refs: Float64Array;
  timestampsMs: Float64Array;
  values: Float64Array;
  /** How many of each column count. */
  count: number;
}

export interface HistogramSample {
  ref: number;
  timestampMs: number;
  value: Histogram;
}

export interface Exemplar {
  /** Of the exemplar itself, such as trace_id. */
  labels: Labels;
  timestampMs: number;
  value: number;
}

export interface ExemplarSample extends Exemplar {
  ref: number;
}

export interface Metadata {
  metric: string;
  type: string;
  help: string;
  unit: string;
}

/** One request's worth: it stands in the log as one frame, whole or not at all. */
export interface Append {
  samples?: SampleBatch;
  histograms?: readonly HistogramSample[];
  exemplars?: readonly ExemplarSample[];
  metadata?: readonly Metadata[];
}

/**
 * too-old: before the out-of-order window, or before what is sealed · duplicate: another value
 * stands at that time · too-far-ahead: the clock of the sender runs ahead · unknown-series: the
 * reference is of a series that has ended, ask for it again · invalid: time or value is none.
 */
export type RefusalReason = "too-old" | "duplicate" | "too-far-ahead" | "unknown-series" | "invalid";

export interface Refused {
  kind: "sample" | "histogram";
  /** Position in its batch. */
  index: number;
  ref: number;
  reason: RefusalReason;
}

export interface AppendResult {
  /** Samples and histograms that are kept now and were not before. */
  appended: number;
  /** The same value at the same time as before: nothing to do. */
  repeated: number;
  refused: Refused[];
}

export function createSampleBatch(capacity: number): SampleBatch {
  const column = () => new Float64Array(capacity);
  return { refs: column(), timestampsMs: column(), values: column(), count: 0 };
}
