import type { Histogram } from "../../histogram.ts";

/** Types of metrics as both versions of remote-write number them. */
export const METRIC_TYPES = [
  "unknown",
  "counter",
  "gauge",
  "histogram",
  "gaugehistogram",
  "summary",
  "info",
  "stateset",
] as const;
export type WrittenType = (typeof METRIC_TYPES)[number];

export interface WrittenHistogram {
  timestampMs: number;
  histogram: Histogram;
  /** Whether the sum was a staleness marker, which ends the series. */
  isStale: boolean;
  /** Null: not said. */
  startMs: number | null;
}

export interface WrittenExemplar {
  labels: readonly (readonly [string, string])[];
  value: number;
  timestampMs: number;
}

export interface WrittenMetadata {
  type: WrittenType;
  help: string;
  unit: string;
}

/**
 * What one series brought, in the order in which it was written. One object, filled anew: it holds until
 * the next.
 */
export interface WrittenSeries {
  /** What was remembered of a series with these labels, from 0 to 2^32 - 1; -1: nothing. */
  known: number;
  /** Keeps a number for these labels, of which nothing is known, as long as the reader's memory lasts. */
  remember(value: number): void;
  /** Decoded when called: as written, neither sorted nor checked. Throws WireError. */
  labels(): (readonly [string, string])[];
  samples: number;
  timestampsMs: Float64Array;
  /** Staleness markers keep their bits. */
  values: Float64Array;
  /** 0: not said. */
  startsMs: Float64Array;
  histograms: readonly WrittenHistogram[];
  exemplars: readonly WrittenExemplar[];
  /** Null: none came with the series. */
  metadata: WrittenMetadata | null;
}

export interface WriteSink {
  series(series: WrittenSeries): void;
  /** Remote-write 1 sends metadata by the name of a metric family. */
  metadata(family: string, metadata: WrittenMetadata): void;
}
