/** A run of neighbouring buckets: `offset` lies between it and the end of the one before, or bucket 0. */
export interface Span {
  readonly offset: number;
  readonly length: number;
}

/** What is known about a counter between the sample before and this one; `gauge` may fall. */
export type ResetHint = "unknown" | "reset" | "not-reset" | "gauge";

/** The schema of histograms whose bounds are told one by one. */
export const CUSTOM_BUCKETS_SCHEMA = -53;

/**
 * A native histogram with absolute bucket counts. Schemas -4 to 8 grow by 2^(2^-schema) a bucket; bucket i holds
 * (base^(i-1), base^i]. With CUSTOM_BUCKETS_SCHEMA, bucket i holds (customBounds[i-1], customBounds[i]], the one after
 * the last bound goes to +Inf, and there are neither negative buckets nor a zero bucket. Never altered.
 */
export interface Histogram {
  readonly schema: number;
  readonly count: number;
  readonly sum: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly positiveSpans: readonly Span[];
  readonly positiveCounts: Float64Array;
  readonly negativeSpans: readonly Span[];
  readonly negativeCounts: Float64Array;
  /** Upper bounds in rising order, without +Inf; empty for exponential schemas. */
  readonly customBounds: readonly number[];
  readonly resetHint: ResetHint;
}
