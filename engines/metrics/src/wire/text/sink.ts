import type { LabelPair } from "./series-text.ts";

export type MetricType =
  | "counter"
  | "gauge"
  | "histogram"
  | "gaugehistogram"
  | "summary"
  | "stateset"
  | "info"
  | "unknown";

export interface TextExemplar {
  labels: LabelPair[];
  value: number;
  /** Null: that of its sample. */
  timestampMs: number | null;
}

export interface TextSample {
  /**
   * Name and labels as they are written. The same text means the same series: whoever scrapes again and
   * again keeps what it found for a text instead of calling `parseSeriesText` for each sample.
   */
  series: string;
  value: number;
  /** Null: the time at which it was read. */
  timestampMs: number | null;
  exemplar: TextExemplar | null;
  /** Counts from 1. */
  line: number;
}

export interface TextMetadata {
  metric: string;
  kind: "type" | "help" | "unit";
  text: string;
  line: number;
}

/** What a parser hands on, in the order of the text. */
export interface TextSink {
  sample(sample: TextSample): void;
  metadata(metadata: TextMetadata): void;
}
