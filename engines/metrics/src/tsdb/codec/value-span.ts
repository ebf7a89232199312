/** A part of a column, and the same memory as words: where values are read to. */
export interface ValueSpan {
  readonly values: Float64Array;
  readonly words: Uint32Array;
  readonly from: number;
  readonly to: number;
}
