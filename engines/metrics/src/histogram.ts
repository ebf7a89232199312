/** What is known about a counter between the sample before and this one; `gauge` may fall. */
export type ResetHint = "unknown" | "reset" | "not-reset" | "gauge";

/** The schema of histograms whose bounds are told one by one. */
export const CUSTOM_BUCKETS_SCHEMA = -53;

/**
 * Buckets in rising order of their index; those that are not listed are empty. Spans are a matter of formats.
 */
export interface Buckets {
  readonly indexes: Int32Array;
  readonly counts: Float64Array;
}

export const NO_BUCKETS: Buckets = { indexes: new Int32Array(0), counts: new Float64Array(0) };

/**
 * A native histogram with absolute bucket counts. Schemas -4 to 8 grow by 2^(2^-schema) a bucket:
 * bucket i holds (base^(i-1), base^i], a negative one the mirror image. With CUSTOM_BUCKETS_SCHEMA
 * bucket i holds (customBounds[i-1], customBounds[i]], the one after the last bound goes to +Inf,
 * and there are neither negative buckets nor a zero bucket. Never altered.
 */
export interface Histogram {
  readonly schema: number;
  readonly count: number;
  readonly sum: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly positive: Buckets;
  readonly negative: Buckets;
  /** Upper bounds in rising order, without +Inf; empty for exponential schemas. */
  readonly customBounds: readonly number[];
  readonly resetHint: ResetHint;
}
