import type { Histogram } from "../../histogram.ts";
import { type Labels, NO_LABELS } from "../../labels.ts";
import type { Look } from "./plan.ts";

/** The moments of an evaluation: `count` of them, `stepMs` apart. */
export interface Grid {
  readonly startMs: number;
  readonly stepMs: number;
  readonly count: number;
}

/** What stands at a step of a column. */
export const ABSENT = 0;
export const FLOAT = 1;
export const HISTOGRAM = 2;

/** One series of a result over all steps of the grid. */
export interface Column {
  readonly labels: Labels;
  /**
   * The name of the metric is left out of the answer. It stays until then: label functions may still read it.
   */
  readonly dropsName: boolean;
  /** For each step ABSENT, FLOAT or HISTOGRAM. */
  readonly present: Uint8Array;
  readonly values: Float64Array;
  /** By step; null for a column without any. */
  readonly histograms: (Histogram | undefined)[] | null;
}

export type Value =
  | { readonly type: "scalar"; readonly values: Float64Array }
  | { readonly type: "vector"; readonly columns: readonly Column[] }
  | { readonly type: "string"; readonly value: string };

/** A column that is being filled. */
export interface MutableColumn extends Column {
  labels: Labels;
  dropsName: boolean;
  histograms: (Histogram | undefined)[] | null;
}

export function createColumn(labels: Labels, count: number, dropsName: boolean): MutableColumn {
  return {
    labels,
    dropsName,
    present: new Uint8Array(count),
    values: new Float64Array(count),
    histograms: null,
  };
}

/** Makes the column of a series. */
export type ColumnMaker = (labels: Labels, dropsName: boolean) => MutableColumn;

/** A column for each series. */
export function ownColumns(count: number): ColumnMaker {
  return (labels, dropsName) => createColumn(labels, count, dropsName);
}

/** One column for all series in turn: what it holds, it holds until the next one is made. */
export function sharedColumn(count: number): ColumnMaker {
  const shared = createColumn(NO_LABELS, count, false);
  return (labels, dropsName) => {
    shared.labels = labels;
    shared.dropsName = dropsName;
    shared.present.fill(ABSENT);
    shared.histograms = null;
    return shared;
  };
}

export function setFloat(column: Column, step: number, value: number): void {
  column.present[step] = FLOAT;
  column.values[step] = value;
}

export function setHistogram(column: MutableColumn, step: number, histogram: Histogram): void {
  column.present[step] = HISTOGRAM;
  column.histograms ??= [];
  column.histograms[step] = histogram;
}

/** The histogram at a step, undefined when there is a float or nothing. */
export function histogramAt(column: Column, step: number): Histogram | undefined {
  return column.present[step] === HISTOGRAM ? column.histograms?.[step] : undefined;
}

export function hasSamples(column: Column): boolean {
  return column.present.includes(FLOAT) || (column.histograms !== null && column.present.includes(HISTOGRAM));
}

export function timeAt(grid: Grid, step: number): number {
  return grid.startMs + step * grid.stepMs;
}

/** The moment in the data that belongs to a step. */
export function lookAt({ atMs, offsetMs }: Look, grid: Grid, step: number): number {
  return (atMs ?? timeAt(grid, step)) - offsetMs;
}
