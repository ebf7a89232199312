import { createLabels, type Labels } from "../labels.ts";
import type { QueryLimits } from "../promql/evaluation/budget.ts";
import { queryInstant, queryRange, type QuerySettings } from "../promql/query.ts";
import type { QueryResult, ResultValue } from "../promql/query-result.ts";
import type { Queryable } from "../storage.ts";
import { createMemoryStorage, type MemoryStorage, type WrittenSample } from "./memory-storage.ts";

/** Limits that nothing in a test meets; time stands still. */
export const FREE: QueryLimits = { maxSamples: 1e9, maxBytes: 1e12, timeoutMs: 1_000, nowMs: () => 0 };

export interface SampleSeries {
  labels: Record<string, string>;
  /** One every `stepMs` from 0 on; null leaves one out. */
  values: readonly (WrittenSample["value"] | null)[];
  startsMs?: readonly number[];
}

/** A store with series that are sampled every `stepMs`. */
export function storageOf(stepMs: number, series: readonly SampleSeries[]): MemoryStorage {
  const storage = createMemoryStorage();
  for (const { labels, values, startsMs } of series) {
    const samples = values.flatMap((value, index): WrittenSample[] => {
      if (value === null) return [];
      const startMs = startsMs?.[index];
      return [{ timeMs: index * stepMs, value, ...(startMs !== undefined && { startMs }) }];
    });
    storage.write(createLabels(Object.entries(labels)), samples);
  }
  return storage;
}

/** Asks at one moment, in seconds. */
export function askAt(storage: Queryable, query: string, seconds: number): Promise<QueryResult> {
  return queryInstant(query, seconds * 1000, settings(storage));
}

/** Asks for a range, in seconds. */
export function askOver(
  storage: Queryable,
  query: string,
  [start, end, step]: [number, number, number],
): Promise<QueryResult> {
  const range = { startMs: start * 1000, endMs: end * 1000, stepMs: step * 1000 };
  return queryRange(query, range, settings(storage));
}

function settings(storage: Queryable): QuerySettings {
  return { storage, limits: FREE };
}

/** An answer as plain data: what a series is called, and its values. */
export function plain(value: ResultValue): Record<string, unknown> | number | string {
  if (value.type === "scalar" || value.type === "string") return value.value;
  if (value.type === "vector") {
    return Object.fromEntries(value.samples.map((sample) => [nameOf(sample.labels), sample.value]));
  }
  return Object.fromEntries(value.series.map((series) => [nameOf(series.labels), [...series.values]]));
}

function nameOf({ names, values }: Labels): string {
  return `{${names.map((name, index) => `${name}=${values[index]}`).join(",")}}`;
}
