import { createLabels, METRIC_NAME, NO_LABELS, type Histogram, type Labels } from "@mainstay/metrics/model";
import {
  createSampleBatch,
  type Metadata,
  type MetricsStore as Store,
  type RefusalReason,
  type SampleBatch,
} from "@mainstay/metrics/tsdb";
import type { AppendOutcome, LabelPair, Refused } from "../metrics-store.ts";
import { createTally, type Example } from "./tally.ts";

const FIRST_SAMPLES = 1024;
/** Columns that one large request made are not kept for all that follow. */
const LARGEST_KEPT_SAMPLES = 64 * 1024;

/** What one call brings, until it is written as one frame of the log. */
export interface Intake {
  /** A reference for these labels; null when they are refused, with what was to be said of them. */
  resolve(pairs: readonly LabelPair[]): number | Refusal;
  addSample(ref: number, timestampMs: number): { values: Float64Array; at: number };
  addHistogram(ref: number, timestampMs: number, value: Histogram): void;
  addExemplar(ref: number, exemplar: { labels: Labels; timestampMs: number; value: number }): void;
  addMetadata(metadata: Metadata): void;
  refuse(refused: Example): void;
  /** Writes it all; throws what the store throws, and nothing of it is kept then. */
  finish(): AppendOutcome;
}

export interface Refusal {
  reason: Refused["reason"];
  message: string;
}

/** Makes intakes that share their columns: one at a time. */
export function createIntakes(store: Store): () => Intake {
  let kept = createSampleBatch(FIRST_SAMPLES);
  return () => {
    if (kept.values.length > LARGEST_KEPT_SAMPLES) kept = createSampleBatch(FIRST_SAMPLES);
    kept.count = 0;
    return createIntake(store, { get: () => kept, set: (grown) => (kept = grown) });
  };
}

interface Columns {
  get(): SampleBatch;
  set(grown: SampleBatch): void;
}

function createIntake(store: Store, columns: Columns): Intake {
  const tally = createTally();
  const histograms: { ref: number; timestampMs: number; value: Histogram }[] = [];
  const exemplars: { ref: number; labels: Labels; timestampMs: number; value: number }[] = [];
  const metadata: Metadata[] = [];
  const place = (ref: number, timeMs = NaN): string =>
    `${describeLabels(store.labelsOf(ref) ?? NO_LABELS)} at ${timeMs} ms`;
  return {
    resolve: (pairs) => resolve(store, pairs),
    addSample(ref, timestampMs) {
      let batch = columns.get();
      if (batch.count === batch.values.length) columns.set((batch = grow(batch)));
      const at = batch.count++;
      batch.refs[at] = ref;
      batch.timestampsMs[at] = timestampMs;
      return { values: batch.values, at };
    },
    addHistogram: (ref, timestampMs, value) => void histograms.push({ ref, timestampMs, value }),
    addExemplar: (ref, exemplar) => void exemplars.push({ ref, ...exemplar }),
    addMetadata: (each) => void metadata.push(each),
    refuse: tally.add,
    finish() {
      const samples = columns.get();
      const { refused, repeated } = store.append({ samples, histograms, exemplars, metadata });
      const lost = { sample: 0, histogram: 0 };
      for (const { kind, index, ref, reason } of refused) {
        lost[kind]++;
        const timeMs = kind === "sample" ? samples.timestampsMs[index] : histograms[index]?.timestampMs;
        tally.add({ what: kind, reason, count: 1, message: () => `${REASONS[reason]}: ${place(ref, timeMs)}` });
      }
      const written = {
        samples: samples.count - lost.sample,
        histograms: histograms.length - lost.histogram,
        exemplars: exemplars.length,
      };
      return { written, repeated, refused: tally.all() };
    },
  };
}

function resolve(store: Store, pairs: readonly LabelPair[]): number | Refusal {
  const fault = faultOf(pairs);
  if (fault !== null) return { reason: "invalid-labels", message: fault };
  const answer = store.resolve(createLabels(pairs));
  return "ref" in answer ? answer.ref : answer.refusal;
}

function faultOf(pairs: readonly LabelPair[]): string | null {
  const names = new Set<string>();
  for (const [name, value] of pairs) {
    if (name === "") return `a label of {${describe(pairs)}} has no name`;
    if (names.has(name)) return `the label ${name} of {${describe(pairs)}} stands there twice`;
    if (name === METRIC_NAME && value === "") break;
    names.add(name);
  }
  return names.has(METRIC_NAME) ? null : `{${describe(pairs)}} has no name of a metric`;
}

function describe(pairs: readonly LabelPair[]): string {
  return pairs.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(", ");
}

function describeLabels({ names, values }: Labels): string {
  return `{${describe(names.map((name, index) => [name, values[index] ?? ""]))}}`;
}

const REASONS: Record<RefusalReason, string> = {
  "too-old": "out of order, older than the window for late samples",
  duplicate: "duplicate, another value stands at that time",
  "too-far-ahead": "too far in the future",
  "unknown-series": "the series has ended",
  invalid: "no valid time",
};

function grow(batch: SampleBatch): SampleBatch {
  const larger = createSampleBatch(batch.values.length * 2);
  larger.refs.set(batch.refs);
  larger.timestampsMs.set(batch.timestampsMs);
  copyBits(batch.values, larger.values);
  larger.count = batch.count;
  return larger;
}

/** As words: a copy as numbers might change the bits of a staleness marker. */
function copyBits(from: Float64Array, to: Float64Array): void {
  new Uint8Array(to.buffer, to.byteOffset).set(new Uint8Array(from.buffer, from.byteOffset, from.byteLength));
}
