import * as fs from "node:fs";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLabels, type Labels } from "../../labels.ts";
import type { Matcher, SelectHints, Series } from "../../storage.ts";
import { createSampleBatch, type AppendResult } from "../batch.ts";
import type { StoreSettings } from "../settings.ts";
import { openMetricsStore, type MetricsStore } from "../store.ts";

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
/** Noon of a day: a border of blocks of every width. */
export const START_MS = Date.UTC(2026, 0, 1, 12);
const NO_HINTS: SelectHints = { stepMs: 0, rangeMs: 0, functionName: "" };
const NO_BUDGET = { addSamples: () => {}, addBytes: () => {} };

/** A store in a directory of its own, whose hour the test sets. */
export interface TestStore extends Disposable {
  store: MetricsStore;
  directory: string;
  clock: { nowMs: number };
  /** Opens the directory anew, as after a crash: what was open is left as it is. */
  reopen(settings?: Partial<StoreSettings>): MetricsStore;
  /** One sample of a series. */
  put(labels: Labels, timestampMs: number, value: number): AppendResult;
  /** Rows of `[time, value]` of one series. */
  fill(labels: Labels, rows: Iterable<readonly [number, number]>): AppendResult;
  read(matchers: readonly Matcher[], range?: { fromMs: number; toMs: number }, hints?: SelectHints): Series[];
}

export function openTestStore(settings: Partial<StoreSettings> = {}): TestStore {
  const directory = mkdtempSync(join(tmpdir(), "mainstay-tsdb-"));
  const clock = { nowMs: START_MS };
  // What reaches the platter is a matter of other tests: here it would only take time.
  const disk = { ...fs, fsyncSync: () => {}, fdatasyncSync: () => {} };
  const open = (more: Partial<StoreSettings> = {}) =>
    openMetricsStore({
      disk,
      directory: join(directory, "store"),
      clock: { now: () => clock.nowMs },
      pause: async () => {},
      minFreeBytes: 0,
      ...settings,
      ...more,
    });
  const test: TestStore = {
    store: open(),
    directory,
    clock,
    reopen: (more) => (test.store = open(more)),
    put: (labels, timestampMs, value) => test.fill(labels, [[timestampMs, value]]),
    fill: (labels, rows) => fill(test, labels, [...rows]),
    read: (matchers, range = { fromMs: -1e15, toMs: 1e15 }, hints = NO_HINTS) =>
      test.store.select(matchers, { ...range, hints, budget: NO_BUDGET }),
    [Symbol.dispose]: () => {
      void test.store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return test;
}

function fill(test: TestStore, labels: Labels, rows: readonly (readonly [number, number])[]): AppendResult {
  const resolution = test.store.resolve(labels);
  if ("refusal" in resolution) throw new Error(resolution.refusal.message);
  const batch = createSampleBatch(rows.length);
  rows.forEach(([timestampMs, value], index) => {
    batch.refs[index] = resolution.ref;
    batch.timestampsMs[index] = timestampMs;
    batch.values[index] = value;
    test.clock.nowMs = Math.max(test.clock.nowMs, timestampMs);
  });
  batch.count = rows.length;
  return test.store.append({ samples: batch });
}

export function named(name: string, more: Record<string, string> = {}): Labels {
  return createLabels([["__name__", name], ...Object.entries(more)]);
}

export function equal(name: string, value: string): Matcher {
  return { name, operator: "=", value };
}

/** Rows of a series that is scraped every 15 seconds. */
export function scrapes(
  count: number,
  valueOf: (index: number) => number,
  fromMs = START_MS,
): [number, number][] {
  return Array.from({ length: count }, (_, index) => [fromMs + 15_000 * index, valueOf(index)]);
}

export function rowsOf(series: Series | undefined): [number, number][] {
  if (series === undefined) return [];
  return [...series.floats.timestampsMs].map((timeMs, index) => [timeMs, series.floats.values[index] ?? NaN]);
}
