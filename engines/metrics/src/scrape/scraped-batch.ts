import type { Labels } from "../labels.ts";
import { setStaleAt } from "../stale.ts";
import type { Exemplar, Metadata } from "../tsdb/batch.ts";

/** What one scrape hands to a store; the columns lie in the order of `series`. */
export interface ScrapedBatch {
  series: Labels[];
  timestampsMs: Float64Array<ArrayBuffer>;
  /** Staleness markers stand here by their bits. */
  values: Float64Array<ArrayBuffer>;
  exemplars: ScrapedExemplar[];
  /** Of metrics whose type, help or unit is new or another than before. */
  metadata: Metadata[];
}

export interface ScrapedExemplar extends Exemplar {
  series: Labels;
}

/** Collects the samples of one scrape. */
export interface BatchDraft {
  add(series: Labels, timestampMs: number, value: number): void;
  addMarker(series: Labels): void;
  exemplars: ScrapedExemplar[];
  metadata: Metadata[];
  /** Markers come last, all at the time of the scrape. */
  finish(atMs: number): ScrapedBatch;
}

export function createBatchDraft(): BatchDraft {
  const series: Labels[] = [];
  const timestampsMs: number[] = [];
  const values: number[] = [];
  const ended: Labels[] = [];
  const draft: BatchDraft = {
    add(labels, timestampMs, value) {
      series.push(labels);
      timestampsMs.push(timestampMs);
      values.push(value);
    },
    addMarker: (labels) => void ended.push(labels),
    exemplars: [],
    metadata: [],
    finish(atMs) {
      const count = series.length + ended.length;
      const columns = { timestampsMs: new Float64Array(count).fill(atMs), values: new Float64Array(count) };
      columns.timestampsMs.set(timestampsMs);
      columns.values.set(values);
      for (let index = series.length; index < count; index++) setStaleAt(columns.values, index);
      const { exemplars, metadata } = draft;
      return { series: [...series, ...ended], ...columns, exemplars, metadata };
    },
  };
  return draft;
}
