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
import type { Intake, Refusal } from "../intake.ts";
import { staleBits } from "../stale-bits.ts";

/** Beyond it what was found of series is forgotten, and found again. */
const INDEX_BYTES = 64 * 2 ** 20;
const SYMBOLS_MAX = 500_000;
/** What series of a family are called beside its own name. */
const SUFFIX = /_(bucket|count|sum)$/;

export interface RemoteWrite {
  take(intake: Intake, bytes: Uint8Array): AppendOutcome;
  /** References of series may have ended. */
  forget(): void;
}

/** A receiver that knows series again by the bytes of their labels. */
export function createRemoteWrite(version: 1 | 2): RemoteWrite {
  const index = new ByteIndex();
  const symbols = new Symbols({ limit: SYMBOLS_MAX });
  return {
    take(intake, bytes) {
      if (index.sizeBytes > INDEX_BYTES) index.clear();
      const sink = sinkInto(intake, index);
      if (version === 1) readRemoteWrite1(bytes, sink);
      else readRemoteWrite2(bytes, symbols, sink);
      return intake.finish();
    },
    forget: () => index.clear(),
  };
}

function sinkInto(intake: Intake, index: ByteIndex): WriteSink {
  let column: Float64Array = new Float64Array(0);
  let words = new Uint32Array(column.buffer);
  return {
    series(series) {
      const known = index.find(series.key);
      const ref = known === -1 ? addSeries(intake, index, series) : known;
      if (ref === null) return;
      if (series.values !== column) {
        column = series.values;
        words = new Uint32Array(column.buffer);
      }
      const { samples, timestampsMs } = series;
      for (let at = 0; at < samples; at++)
        intake.addSample(ref, timestampsMs[at] ?? NaN, { words, index: at });
      if (series.histograms.length > 0) addHistograms(intake, ref, series);
      for (const { labels, value, timestampMs } of series.exemplars)
        intake.addExemplar({ ref, labels: createLabels(labels), value, timestampMs });
    },
    metadata: (metric, metadata) => intake.addMetadata({ metric, ...metadata }),
  };
}

/** Finds a series that is not known by its bytes; null when it is refused. */
function addSeries(intake: Intake, index: ByteIndex, series: WrittenSeries): number | null {
  const labels = series.labels();
  const found = intake.resolve(labels);
  if (typeof found !== "number") {
    refuse(intake, series, found);
    return null;
  }
  const { bytes, from, to } = series.key;
  index.add({ bytes, from, to }, found);
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
