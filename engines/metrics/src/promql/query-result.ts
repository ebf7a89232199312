import type { Histogram } from "../histogram.ts";
import type { Labels } from "../labels.ts";

export interface VectorSample {
  readonly labels: Labels;
  readonly value: number | Histogram;
}

/**
 * A series of an answer; a moment stands in one of both columns. Series may share the object of their times.
 */
export interface MatrixSeries {
  readonly labels: Labels;
  readonly timestampsMs: Float64Array;
  readonly values: Float64Array;
  readonly histogramTimestampsMs: Float64Array;
  readonly histograms: readonly Histogram[];
}

export type ResultValue =
  | { readonly type: "scalar"; readonly timeMs: number; readonly value: number }
  | { readonly type: "string"; readonly timeMs: number; readonly value: string }
  | { readonly type: "vector"; readonly timeMs: number; readonly samples: readonly VectorSample[] }
  | { readonly type: "matrix"; readonly series: readonly MatrixSeries[] };

export interface QueryResult {
  readonly value: ResultValue;
  /** Both with the place in the query, as Prometheus words them. */
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
}
