import { CorruptionError } from "../codec/bytes.ts";
import type { ExemplarSample, HistogramSample, SampleBatch } from "../batch.ts";
import type { Labels } from "../../labels.ts";
import type { LogPosition } from "../wal/log-files.ts";
import { readRecords, type PassedOver } from "../wal/wal-records.ts";

/** What the store took in at one time. */
export interface FollowedFrame {
  start: LogPosition;
  /** Where to go on once it is done with. */
  end: LogPosition;
  samples: SampleBatch[];
  histograms: HistogramSample[];
  exemplars: ExemplarSample[];
  /** Its bytes are whole and mean nothing: what it held is not known. */
  isDamaged: boolean;
}

export type Taken = Omit<FollowedFrame, "start" | "end">;

/** Reads what was taken in; series that are named go to `onSeries`. */
export function readTaken(payload: Uint8Array, onSeries: (ref: number, labels: Labels) => void): Taken {
  const taken: Taken = { samples: [], histograms: [], exemplars: [], isDamaged: false };
  try {
    readInto(taken, payload, onSeries);
    return taken;
  } catch (cause) {
    if (!(cause instanceof CorruptionError)) throw cause;
    return { samples: [], histograms: [], exemplars: [], isDamaged: true };
  }
}

function readInto(taken: Taken, payload: Uint8Array, onSeries: (ref: number, labels: Labels) => void): void {
  readRecords(payload, {
    onSeries,
    onSamples: (batch) => void taken.samples.push(batch),
    onHistogram: (sample) => void taken.histograms.push(sample),
    onExemplar: (exemplar) => void taken.exemplars.push(exemplar),
    ...{ onMetadata: nothing, onDeletion: nothing, onChunk: nothing, onCut: nothing },
    ...{ onPassedOver: nothing, onNextRef: nothing },
  });
}

/** Reads the frame that says what of the one before was not taken after all. */
export function readPassedOver(payload: Uint8Array): PassedOver {
  let found: PassedOver = { samples: [], histograms: [] };
  readRecords(payload, {
    ...{ onSeries: nothing, onSamples: nothing, onHistogram: nothing, onExemplar: nothing },
    ...{ onMetadata: nothing, onDeletion: nothing, onChunk: nothing, onCut: nothing, onNextRef: nothing },
    onPassedOver: (passed) => (found = passed),
  });
  return found;
}

const nothing = (): void => {};

/** A frame without what was passed over. Frames that tell of it hold one record of samples. */
export function without(frame: FollowedFrame, passed: PassedOver): FollowedFrame {
  const [batch] = frame.samples;
  const histograms = new Set(passed.histograms);
  return {
    ...frame,
    samples: batch === undefined ? [] : [withoutSamples(batch, new Set(passed.samples))],
    histograms: frame.histograms.filter((_, index) => !histograms.has(index)),
  };
}

/** Moves the others together, in place. */
function withoutSamples(batch: SampleBatch, passed: ReadonlySet<number>): SampleBatch {
  const words = new BigUint64Array(batch.values.buffer, batch.values.byteOffset, batch.values.length);
  let count = 0;
  for (let index = 0; index < batch.count; index++) {
    if (passed.has(index)) continue;
    batch.refs[count] = batch.refs[index] ?? 0;
    batch.timestampsMs[count] = batch.timestampsMs[index] ?? 0;
    words[count] = words[index] ?? 0n;
    count++;
  }
  return { ...batch, count };
}
