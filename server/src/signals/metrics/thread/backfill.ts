import { createLabels, type Histogram, type Labels } from "@mainstay/metrics/model";
import type { MetricsStore as Store, PastSeries } from "@mainstay/metrics/tsdb";
import type { AppendBatch, AppendOutcome, Refused } from "../metrics-store.ts";
import type { Intake, Refusal } from "./intake.ts";

/** Rows of one series that lie in the past, in the order in which they came. */
interface Past {
  labels: Labels;
  rows: number[];
  histograms: { timestampMs: number; value: Histogram }[];
}

/**
 * Takes in a batch of any age: what lies in the past becomes blocks, the rest goes the way of all samples.
 * Of several samples of a series at one time the first is kept.
 */
export async function backfillBatch(
  store: Store,
  intake: Intake,
  batch: AppendBatch,
): Promise<AppendOutcome> {
  const borderMs = store.sealPast();
  const { series, positions, timestampsMs, values, histograms } = batch;
  const words = new Uint32Array(values.buffer);
  const pastOf = new Map<string, Past>();
  const found = series.map((labels) => placeOf(intake, pastOf, labels));
  const placeAt = (what: Refused["what"], position: number): Place | null => {
    const place = found[position] ?? noSeries(position);
    if (!("reason" in place)) return place;
    intake.refuse({ what, reason: place.reason, count: 1, message: () => place.message });
    return null;
  };
  positions.forEach((position, index) => {
    const place = placeAt("sample", position);
    const timeMs = timestampsMs[index] ?? NaN;
    if (timeMs < borderMs) place?.past.rows.push(index);
    else if (place) addPresent(intake, place, (ref) => intake.addSample(ref, timeMs, { words, index }));
  });
  for (const { position, timestampMs, value } of histograms) {
    const place = placeAt("histogram", position);
    if (timestampMs < borderMs) place?.past.histograms.push({ timestampMs, value });
    else if (place) addPresent(intake, place, (ref) => intake.addHistogram({ ref, timestampMs, value }));
  }
  for (const each of batch.metadata) intake.addMetadata(each);
  const present = intake.finish();
  const columns = [...pastOf.values()].map((each) => columnsOf(each, { timestampsMs, words }));
  const past = columns.filter(({ samples, histograms: counted }) => samples + counted > 0);
  await store.backfill(past.map((each) => each.series));
  const sum = (what: "samples" | "histograms") => past.reduce((total, each) => total + each[what], 0);
  const { written } = present;
  return {
    ...present,
    written: {
      ...written,
      samples: written.samples + sum("samples"),
      histograms: written.histograms + sum("histograms"),
    },
  };
}

interface Place {
  past: Past;
  /** Begun only when it is needed: a series of the past alone takes no memory. */
  resolve: () => ReturnType<Intake["resolve"]>;
}

function placeOf(
  intake: Intake,
  pastOf: Map<string, Past>,
  pairs: AppendBatch["series"][number],
): Place | Refusal {
  const refused = intake.refusalOf(pairs);
  if (refused !== null) return refused;
  const labels = createLabels(pairs);
  const past = pastOf.get(labels.key) ?? { labels, rows: [], histograms: [] };
  pastOf.set(labels.key, past);
  return { past, resolve: () => intake.resolve(pairs) };
}

function noSeries(position: number): Refusal {
  return { reason: "invalid-labels", message: `there is no series ${position}` };
}

function addPresent(intake: Intake, { resolve }: Place, add: (ref: number) => void): void {
  const ref = resolve();
  if (typeof ref === "number") return add(ref);
  intake.refuse({ what: "sample", reason: ref.reason, count: 1, message: () => ref.message });
}

interface Columns {
  timestampsMs: Float64Array;
  words: Uint32Array;
}

function columnsOf({ labels, rows, histograms }: Past, { timestampsMs, words }: Columns) {
  const kept = inOrder(rows, (row) => timestampsMs[row] ?? NaN);
  const values = new Float64Array(kept.length);
  const target = new Uint32Array(values.buffer);
  kept.forEach((row, index) => target.set(words.subarray(row * 2, row * 2 + 2), index * 2));
  const times = new Set(kept.map((row) => timestampsMs[row]));
  const others = inOrder(histograms, (each) => each.timestampMs).filter(
    (each) => !times.has(each.timestampMs),
  );
  const series: PastSeries = {
    labels,
    floats: { timestampsMs: Float64Array.from(kept, (row) => timestampsMs[row] ?? NaN), values },
    histograms: {
      timestampsMs: Float64Array.from(others, (each) => each.timestampMs),
      values: others.map((each) => each.value),
    },
  };
  return { series, samples: kept.length, histograms: others.length };
}

/** By time, of equal times the first. */
function inOrder<T>(rows: readonly T[], timeOf: (row: T) => number): T[] {
  const sorted = rows.toSorted((a, b) => timeOf(a) - timeOf(b));
  return sorted.filter((row, index) => {
    const before = sorted[index - 1];
    return before === undefined || timeOf(before) !== timeOf(row);
  });
}
