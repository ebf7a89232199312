import { createLabels, METRIC_NAME, NO_LABELS, type Labels } from "@mainstay/metrics/model";
import type {
  ExemplarSample,
  HistogramSample,
  Metadata,
  MetricsStore as Store,
  RefusalReason,
  SampleBatch,
} from "@mainstay/metrics/tsdb";
import type { AppendOutcome, LabelPair, Refused } from "../metrics-store.ts";
import { isReservedName, reservedNameFault, type Origin } from "../reserved-names.ts";
import { createTally, type Example } from "./tally.ts";

const FIRST_SAMPLES = 1024;
/** Columns that one large request made are not kept for all that follow. */
const LARGEST_KEPT_SAMPLES = 64 * 1024;

/** What one call brings, until it is written as one frame of the log. */
export interface Intake {
  /** A reference for these labels, or why there is none. */
  resolve(pairs: readonly LabelPair[]): number | Refusal;
  /** Why no series has these labels, whatever the store says; null: one may have. */
  refusalOf(pairs: readonly LabelPair[]): Refusal | null;
  /** The value as two words of eight bytes, so that a staleness marker stays one. */
  addSample(ref: number, timestampMs: number, value: Bits): void;
  /** The same for all that a request has of one series. */
  addSamples(ref: number, samples: Samples): void;
  addHistogram(sample: HistogramSample): void;
  addExemplar(exemplar: ExemplarSample): void;
  /** Written only if it says something new; what is said of our own metrics from outside is passed over. */
  addMetadata(metadata: Metadata): void;
  refuse(example: Example): void;
  /** Writes it all. Throws what the store throws, and nothing of it is kept then. */
  finish(): AppendOutcome;
}

/** A number of a column, by its place there. */
export interface Bits {
  words: Uint32Array;
  index: number;
}

/** The first of columns: values by their words, as in `Bits`. */
export interface Samples {
  timestampsMs: Float64Array;
  words: Uint32Array;
  count: number;
}

export interface Refusal {
  reason: Refused["reason"];
  message: string;
}

export interface Intakes {
  /** Intakes share their columns: one at a time. */
  begin(origin: Origin): Intake;
  /** Samples and histograms from outside that were refused for their names. */
  refusedNames(): number;
}

/** Makes intakes; `othersLabel` tells other Mainstays apart, whose names are those of our own metrics. */
export function createIntakes(store: Store, othersLabel: string | null): Intakes {
  let columns = createColumns(FIRST_SAMPLES);
  let refusedNames = 0;
  const told = new Map(store.metadata().map((each) => [each.metric, each]));

  function push(ref: number, timestampMs: number, { words, index }: Bits): void {
    if (columns.batch.count === columns.batch.values.length) columns = grown(columns);
    const { batch } = columns;
    const at = batch.count++;
    batch.refs[at] = ref;
    batch.timestampsMs[at] = timestampMs;
    columns.words[at * 2] = words[index * 2] ?? 0;
    columns.words[at * 2 + 1] = words[index * 2 + 1] ?? 0;
  }

  /** Nothing is made for each sample: requests bring thousands. */
  function pushAll(ref: number, { timestampsMs, words, count }: Samples): void {
    for (let index = 0; index < count; index++) {
      if (columns.batch.count === columns.batch.values.length) columns = grown(columns);
      const { batch, words: kept } = columns;
      const at = batch.count++;
      batch.refs[at] = ref;
      batch.timestampsMs[at] = timestampsMs[index] ?? NaN;
      kept[at * 2] = words[index * 2] ?? 0;
      kept[at * 2 + 1] = words[index * 2 + 1] ?? 0;
    }
  }

  function countRefused({ what, reason, count }: Example): void {
    if (reason === "reserved-name" && what !== "exemplar") refusedNames += count;
  }

  return {
    begin(origin) {
      if (columns.batch.values.length > LARGEST_KEPT_SAMPLES) columns = createColumns(FIRST_SAMPLES);
      columns.batch.count = 0;
      const shared = { push, pushAll, samples: () => columns.batch, told, countRefused };
      return createIntake(store, { ...shared, origin, othersLabel });
    },
    refusedNames: () => refusedNames,
  };
}

interface Shared {
  push: Intake["addSample"];
  pushAll: Intake["addSamples"];
  samples(): SampleBatch;
  /** What the store knows of each metric. */
  told: Map<string, Metadata>;
  countRefused(example: Example): void;
  origin: Origin;
  othersLabel: string | null;
}

function createIntake(store: Store, shared: Shared): Intake {
  const { push, pushAll, samples, told, countRefused, origin, othersLabel } = shared;
  const isOutside = origin === "outside";
  const isReserved = origin === "platform";
  const tally = createTally();
  const histograms: HistogramSample[] = [];
  const exemplars: ExemplarSample[] = [];
  const metadata: Metadata[] = [];
  const place = (ref: number, timeMs: number) =>
    `${describeLabels(store.labelsOf(ref) ?? NO_LABELS)} at ${timeMs} ms`;
  function refusalOf(pairs: readonly LabelPair[]): Refusal | null {
    const fault = labelsFault(pairs);
    if (fault !== null) return { reason: "invalid-labels", message: fault };
    const named = isOutside ? reservedNameFault(pairs, othersLabel) : null;
    return named === null ? null : { reason: "reserved-name", message: named };
  }

  return {
    refusalOf,
    resolve(pairs) {
      const refused = refusalOf(pairs);
      if (refused !== null) return refused;
      const answer = store.resolve(createLabels(pairs), { isReserved });
      if ("ref" in answer) return answer.ref;
      const { reason, message } = answer.refusal;
      return { reason, message: `${message}: {${describe(pairs)}}` };
    },
    addSample: push,
    addSamples: pushAll,
    addHistogram: (sample) => void histograms.push(sample),
    addExemplar: (exemplar) => void exemplars.push(exemplar),
    addMetadata(each) {
      if (isOutside && isReservedName(each.metric)) return;
      if (isSame(told.get(each.metric), each)) return;
      told.set(each.metric, each);
      metadata.push(each);
    },
    refuse(example) {
      tally.add(example);
      countRefused(example);
    },
    finish() {
      const batch = samples();
      const { refused, repeated } = store.append({ samples: batch, histograms, exemplars, metadata });
      const lost = { sample: 0, histogram: 0 };
      for (const { kind, index, ref, reason } of refused) {
        lost[kind]++;
        const timeMs = kind === "sample" ? batch.timestampsMs[index] : histograms[index]?.timestampMs;
        const message = () => `${REASONS[reason]}: ${place(ref, timeMs ?? NaN)}`;
        tally.add({ what: kind, reason, count: 1, message });
      }
      const written = {
        samples: batch.count - lost.sample,
        histograms: histograms.length - lost.histogram,
        exemplars: exemplars.length,
      };
      return { written, repeated, refused: tally.all() };
    },
  };
}

function isSame(known: Metadata | undefined, { type, help, unit }: Metadata): boolean {
  return known !== undefined && known.type === type && known.help === help && known.unit === unit;
}

/** Why labels are none of a series; null when they are. */
function labelsFault(pairs: readonly LabelPair[]): string | null {
  const names = new Set<string>();
  let hasName = false;
  for (const [name, value] of pairs) {
    if (name === "") return `a label without a name: {${describe(pairs)}}`;
    if (names.has(name)) return `the label ${name} stands there twice: {${describe(pairs)}}`;
    names.add(name);
    if (name === METRIC_NAME && value !== "") hasName = true;
  }
  return hasName ? null : `no name of a metric: {${describe(pairs)}}`;
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

function createColumns(capacity: number) {
  const values = new Float64Array(capacity);
  const refs = new Float64Array(capacity);
  const batch: SampleBatch = { refs, timestampsMs: new Float64Array(capacity), values, count: 0 };
  return { batch, words: new Uint32Array(values.buffer) };
}

function grown({ batch, words }: ReturnType<typeof createColumns>) {
  const larger = createColumns(batch.values.length * 2);
  larger.batch.refs.set(batch.refs);
  larger.batch.timestampsMs.set(batch.timestampsMs);
  larger.words.set(words);
  larger.batch.count = batch.count;
  return larger;
}
