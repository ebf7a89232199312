import { createLabels, METRIC_NAME } from "@mainstay/metrics/model";
import {
  ByteIndex,
  readRemoteWrite1,
  readRemoteWrite2,
  Symbols,
  type WriteSink,
  type WrittenSeries,
} from "@mainstay/metrics/wire";
import type { AppendOutcome, LabelPair } from "../../metrics-store.ts";
import type { Intake, Refusal, Samples } from "../intake.ts";
import { staleBits } from "../stale-bits.ts";

/** Beyond it what was found of series is forgotten, and found again. */
const INDEX_BYTES = 64 * 2 ** 20;
const SYMBOLS_MAX = 500_000;
const NO_VALUES = new Float64Array(0);
/** What series of a family are called beside its own name. */
const SUFFIX = /_(bucket|count|sum)$/;

export interface RemoteWrite {
  take(intake: Intake, bytes: Uint8Array): AppendOutcome;
  /** References of series may have ended. */
  forget(): void;
}

/** A receiver that knows series again by the bytes of their labels. */
export function createRemoteWrite(version: 1 | 2): RemoteWrite {
  return version === 1 ? createRemoteWrite1() : createRemoteWrite2();
}

function createRemoteWrite1(): RemoteWrite {
  const keys = new ByteIndex();
  return {
    take(intake, bytes) {
      if (keys.sizeBytes > INDEX_BYTES) keys.clear();
      readRemoteWrite1(bytes, sinkInto(intake), keys);
      return intake.finish();
    },
    forget: () => keys.clear(),
  };
}

function createRemoteWrite2(): RemoteWrite {
  const symbols = new Symbols({ limit: SYMBOLS_MAX, keyBytes: INDEX_BYTES });
  return {
    take(intake, bytes) {
      readRemoteWrite2(bytes, symbols, sinkInto(intake));
      return intake.finish();
    },
    forget: () => symbols.forgetSeries(),
  };
}

function sinkInto(intake: Intake): WriteSink {
  let column: Float64Array = NO_VALUES;
  const samples: Samples = { timestampsMs: NO_VALUES, words: new Uint32Array(0), count: 0 };
  return {
    series(series) {
      const ref = series.known === -1 ? addSeries(intake, series) : series.known;
      if (ref === null) return;
      if (series.values !== column) {
        column = series.values;
        samples.words = new Uint32Array(column.buffer);
      }
      samples.timestampsMs = series.timestampsMs;
      samples.count = series.samples;
      intake.addSamples(ref, samples);
      if (series.histograms.length > 0) addHistograms(intake, ref, series);
      for (const { labels, value, timestampMs } of series.exemplars)
        intake.addExemplar({ ref, labels: createLabels(labels), value, timestampMs });
    },
    metadata: (metric, metadata) => intake.addMetadata({ metric, ...metadata }),
  };
}

/** Finds a series that is not known by its bytes; null when it is refused. */
function addSeries(intake: Intake, series: WrittenSeries): number | null {
  const labels = series.labels();
  const found = intake.resolve(labels);
  if (typeof found !== "number") {
    refuse(intake, series, found);
    return null;
  }
  series.remember(found);
  if (series.metadata !== null) intake.addMetadata({ metric: familyOf(labels, series), ...series.metadata });
  return found;
}

/** Remote-write 2 tells metadata with each series, and means its family. */
function familyOf(labels: readonly LabelPair[], { metadata }: WrittenSeries): string {
  const name = labels.find(([label]) => label === METRIC_NAME)?.[1] ?? "";
  const hasSuffixes = metadata?.type === "histogram" || metadata?.type === "summary";
  return hasSuffixes ? name.replace(SUFFIX, "") : name;
}

function refuse(intake: Intake, series: WrittenSeries, { reason, message }: Refusal): void {
  const told = () => message;
  const { samples, histograms, exemplars } = series;
  if (samples > 0) intake.refuse({ what: "sample", reason, count: samples, message: told });
  if (histograms.length > 0)
    intake.refuse({ what: "histogram", reason, count: histograms.length, message: told });
  if (exemplars.length > 0)
    intake.refuse({ what: "exemplar", reason, count: exemplars.length, message: told });
}

const STALE = staleBits();

/** The end of a series of histograms is told as that of any other. */
function addHistograms(intake: Intake, ref: number, { histograms }: WrittenSeries): void {
  for (const { timestampMs, histogram, isStale } of histograms) {
    if (isStale) intake.addSample(ref, timestampMs, STALE);
    else intake.addHistogram({ ref, timestampMs, value: histogram });
  }
}
