import type { Histogram } from "../histogram.ts";
import { compareLabels, type Labels, labelValue } from "../labels.ts";
import { compileMatcher } from "../promql/matcher.ts";
import { setStaleAt } from "../stale.ts";
import type { Queryable, Series } from "../storage.ts";

/** A sample that is written: a float, a histogram, or the end of the series. */
export interface WrittenSample {
  timeMs: number;
  value: number | Histogram | "stale";
  startMs?: number;
}

/**
 * A store for tests: it keeps everything in memory and selects by looking at every series. Columns that were
 * selected in turn are spoilt when those of another series are asked for, so whoever keeps them is found out.
 */
export interface MemoryStorage extends Queryable {
  /** Later samples of the same time replace earlier ones. */
  write(labels: Labels, samples: Iterable<WrittenSample>): void;
  clear(): void;
}

interface Stored {
  labels: Labels;
  samples: Map<number, WrittenSample>;
}

export function createMemoryStorage(): MemoryStorage {
  const all = new Map<string, Stored>();
  return {
    write(labels, samples) {
      const stored = all.get(labels.key) ?? { labels, samples: new Map<number, WrittenSample>() };
      all.set(labels.key, stored);
      for (const sample of samples) stored.samples.set(sample.timeMs, sample);
    },
    clear: () => all.clear(),
    select(matchers, { fromMs, toMs, budget, inTurn }) {
      const tests = matchers.map((matcher) => ({ name: matcher.name, matches: compileMatcher(matcher) }));
      const found = [...all.values()]
        .filter(({ labels }) => tests.every(({ name, matches }) => matches(labelValue(labels, name))))
        .map(({ labels, samples }) => {
          const within = [...samples.values()]
            .filter(({ timeMs }) => timeMs >= fromMs && timeMs <= toMs)
            .toSorted((a, b) => a.timeMs - b.timeMs);
          budget.addSamples(within.length);
          return toSeries(labels, within);
        })
        .filter(({ floats, histograms }) => floats.values.length > 0 || (histograms?.values.length ?? 0) > 0)
        .toSorted((a, b) => compareLabels(a.labels, b.labels));
      return inTurn === true ? spoiltInTurn(found) : found;
    },
  };
}

function spoiltInTurn(found: readonly Series[]): Series[] {
  let holder: Series | null = null;
  const held: Float64Array[] = [];
  return found.map((series) => {
    const hold = (column: Float64Array): Float64Array => {
      if (holder !== series) for (const each of held.splice(0)) each.fill(-1e9);
      holder = series;
      const copy = column.slice();
      held.push(copy);
      return copy;
    };
    const { labels, floats, histograms } = series;
    return {
      labels,
      get floats() {
        return { ...floats, timestampsMs: hold(floats.timestampsMs), values: hold(floats.values) };
      },
      ...(histograms && { histograms }),
    };
  });
}

/** The samples of one series in columns. */
export function toSeries(labels: Labels, samples: readonly WrittenSample[]): Series {
  const floats = samples.filter(({ value }) => typeof value === "number" || value === "stale");
  const histograms = samples.flatMap(({ value, ...sample }) =>
    typeof value === "number" || value === "stale" ? [] : [{ ...sample, value }],
  );
  const values = Float64Array.from(floats, ({ value }) => (typeof value === "number" ? value : 0));
  for (const [index, { value }] of floats.entries()) if (value === "stale") setStaleAt(values, index);
  return {
    labels,
    floats: { timestampsMs: timesOf(floats), values, ...startsOf(floats) },
    ...(histograms.length > 0 && {
      histograms: {
        timestampsMs: timesOf(histograms),
        values: histograms.map(({ value }) => value),
        ...startsOf(histograms),
      },
    }),
  };
}

type Timed = Pick<WrittenSample, "timeMs" | "startMs">;

function timesOf(samples: readonly Timed[]): Float64Array {
  return Float64Array.from(samples, ({ timeMs }) => timeMs);
}

function startsOf(samples: readonly Timed[]): { startTimestampsMs?: Float64Array } {
  if (samples.every(({ startMs }) => startMs === undefined)) return {};
  return { startTimestampsMs: Float64Array.from(samples, ({ startMs }) => startMs ?? 0) };
}
