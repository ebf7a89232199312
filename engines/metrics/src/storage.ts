import type { Histogram } from "./histogram.ts";
import type { Labels } from "./labels.ts";

export type MatcherOperator = "=" | "!=" | "=~" | "!~";

/**
 * A label that a series does not have counts as "". Regular expressions are RE2, and match the whole value.
 */
export interface Matcher {
  readonly name: string;
  readonly operator: MatcherOperator;
  readonly value: string;
}

/**
 * Samples in columns of equal length, times strictly rising. Staleness markers are kept with their bits
 * (stale.ts), also those of a series of histograms. The
 * arrays may be views; whoever gets them does not alter them.
 */
export interface FloatColumn {
  readonly timestampsMs: Float64Array;
  readonly values: Float64Array;
  /** When each counter began, 0 where that is not known. */
  readonly startTimestampsMs?: Float64Array;
  /** How many samples each is the mean of, where a store answers from coarser data; else one. */
  readonly counts?: Float64Array;
}

export interface HistogramColumn {
  readonly timestampsMs: Float64Array;
  readonly values: readonly Histogram[];
  readonly startTimestampsMs?: Float64Array;
}

/** No time stands in both columns. What was selected `inTurn` is decoded when a column is asked for. */
export interface Series {
  readonly labels: Labels;
  readonly floats: FloatColumn;
  readonly histograms?: HistogramColumn;
}

/** What the query does with the samples; a store may answer from coarser data, or ignore it. */
export interface SelectHints {
  /** 0 for a query of one instant. */
  readonly stepMs: number;
  /** Width of the range selector; 0 for an instant selector. */
  readonly rangeMs: number;
  /** The innermost function or aggregation around the selector; "" when there is none. */
  readonly functionName: string;
}

/**
 * Counts what a query reads; each call throws when a limit or the deadline is passed, and ends the query so.
 */
export interface QueryBudget {
  addSamples(samples: number): void;
  addBytes(bytes: number): void;
}

export interface SelectOptions {
  /** Samples at both ends are wanted. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly hints: SelectHints;
  /** A store charges what it decodes before it does so, in pieces small enough to be stopped between them. */
  readonly budget: QueryBudget;
  /**
   * The caller looks at one series after the other and keeps no column: those of a series hold until those of
   * another are asked for, and all of them until the store is given its next turn. Series whose columns have
   * the same object of times have the same times. A store
   * may then also name series that turn out to be empty.
   */
  readonly inTurn?: boolean;
}

/** What PromQL asks of a store: every series once, those without a sample between the times left out. */
export interface Queryable {
  select(
    matchers: readonly Matcher[],
    options: SelectOptions,
  ): readonly Series[] | Promise<readonly Series[]>;
}
