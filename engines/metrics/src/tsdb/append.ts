import type { Labels } from "../labels.ts";
import type { Append, AppendResult, Refused, SampleBatch } from "./batch.ts";
import { refuseSeries, type Refusal } from "./cardinality/budget.ts";
import { createSink } from "./codec/bytes.ts";
import { isDiskFull } from "./disk.ts";
import { applyHistogram, applySamples, type Admission } from "./head/apply-samples.ts";
import { addSeries, type Head } from "./head/head.ts";
import type { HeadSeries } from "./head/head-series.ts";
import { StoreError } from "./store-error.ts";
import type { StoreState } from "./store-state.ts";
import { FRAME_HEADER_BYTES } from "./wal/log-files.ts";
import {
  writeExemplar,
  writeHistogram,
  writeMetadata,
  writePassedOver,
  writeSamples,
  writeSeries,
  type PassedOver,
} from "./wal/wal-records.ts";

/** A reference to append with, or why there is none. */
export type Resolution = { ref: number } | { refusal: Refusal };

const SPACE_CHECK_MS = 1000;
const LARGEST_KEPT_SINK_BYTES = 8 * 2 ** 20;
const NO_SAMPLES = { timestampsMs: new Float64Array(0), count: 0 };

/** Finds a series, or begins one if the budgets allow it. */
export function resolve(state: StoreState, labels: Labels, isReserved: boolean): Resolution {
  const { head, limits } = state;
  const known = head.byKey.get(labels.key);
  if (known !== undefined) return { ref: claimed(head, known, isReserved) };
  const refusal = refuseSeries(head, { labels, isReserved }, limits.budget);
  if (refusal !== null) {
    state.refusals.add(labels, refusal, state.settings.clock.now());
    state.counts.refusedSeries++;
    return { refusal };
  }
  const series = addSeries(head, labels);
  state.unlogged.push(series);
  return { ref: claimed(head, series, isReserved) };
}

/** The log does not say whose a series is: after a start it is nobody's until it is resolved again. */
function claimed({ reserved }: Head, { ref }: HeadSeries, isReserved: boolean): number {
  if (isReserved) reserved.add(ref);
  return ref;
}

/** Writes one frame to the log, then to the head: what is answered is in the file. */
export function append(state: StoreState, input: Append): AppendResult {
  checkSpace(state);
  const admission: Admission = {
    outOfOrderMs: state.limits.outOfOrderMs,
    latestMs: state.settings.clock.now() + state.limits.aheadMs,
  };
  const { admitted, refused, samplesAt, histogramsAt } = admit(input, admission);
  const result: AppendResult = { appended: 0, repeated: 0, refused };
  const known = refused.length;
  log(state, admitted);
  const passedOver = { samples: [], histograms: [] };
  const admitting = { admission, result, passedOver };
  if (admitted.samples) applySamples(state.head, admitted.samples, admitting);
  admitted.histograms?.forEach((sample, index) => applyHistogram(state.head, { sample, index }, admitting));
  if (state.followers.size > 0) logPassedOver(state, passedOver);
  for (const each of refused.slice(known)) {
    const at = each.kind === "sample" ? samplesAt : histogramsAt;
    each.index = at?.[each.index] ?? each.index;
  }
  for (const exemplar of admitted.exemplars ?? []) keepExemplar(state, exemplar);
  for (const each of admitted.metadata ?? []) state.metadata.set(each.metric, each);
  countResult(state, result);
  return result;
}

/** Puts an exemplar beside its series. */
export function keepExemplar(
  state: StoreState,
  { ref, labels, timestampMs, value }: NonNullable<Append["exemplars"]>[number],
): void {
  const series = state.head.byRef.get(ref);
  if (series !== undefined) {
    state.exemplars.add({ ref, series: series.labels, exemplar: { labels, timestampMs, value } });
  }
}

function countResult({ counts }: StoreState, { appended, repeated, refused }: AppendResult): void {
  counts.appended += appended;
  counts.repeated += repeated;
  for (const { reason } of refused) counts.refused[reason]++;
}

interface Admitted {
  admitted: Append;
  refused: Refused[];
  /** Where each of those that are left stood; null when none was taken out. */
  samplesAt: number[] | null;
  histogramsAt: number[] | null;
}

/**
 * Times that are none, or lie ahead, must not get into the
 * log: after a restart nobody knows the hour they came.
 */
function admit(input: Append, { latestMs }: Admission): Admitted {
  const { samples, histograms = [] } = input;
  const refused: Refused[] = [];
  if (areTimesFine(input, latestMs))
    return { admitted: input, refused: [], samplesAt: null, histogramsAt: null };
  const isFine = (timeMs: number) => Number.isSafeInteger(timeMs) && timeMs <= latestMs;
  const refuse = (kind: Refused["kind"], index: number, { ref, timeMs }: { ref: number; timeMs: number }) => {
    const reason = Number.isSafeInteger(timeMs) ? "too-far-ahead" : "invalid";
    refused.push({ kind, index, ref, reason });
  };
  const samplesAt = samples ? finePositions(samples.timestampsMs.subarray(0, samples.count), isFine) : null;
  const times = Float64Array.from(histograms, (each) => each.timestampMs);
  const histogramsAt = finePositions(times, isFine);
  samples?.timestampsMs.subarray(0, samples.count).forEach((timeMs, index) => {
    if (!isFine(timeMs)) refuse("sample", index, { ref: samples.refs[index] ?? 0, timeMs });
  });
  histograms.forEach(({ ref, timestampMs }, index) => {
    if (!isFine(timestampMs)) refuse("histogram", index, { ref, timeMs: timestampMs });
  });
  const admitted = {
    ...input,
    ...(samples && samplesAt && { samples: pick(samples, samplesAt) }),
    histograms: histograms.filter((each) => isFine(each.timestampMs)),
  };
  return { admitted, refused, samplesAt, histogramsAt };
}

/** Of nearly every request; a plain loop, since it runs over each sample. */
function areTimesFine({ samples, histograms = [] }: Append, latestMs: number): boolean {
  const { timestampsMs, count } = samples ?? NO_SAMPLES;
  for (let index = 0; index < count; index++) {
    const timeMs = timestampsMs[index] ?? NaN;
    if (!(timeMs <= latestMs && Number.isSafeInteger(timeMs))) return false;
  }
  return histograms.every(({ timestampMs }) => timestampMs <= latestMs && Number.isSafeInteger(timestampMs));
}

/** Null when all are. */
function finePositions(timesMs: Float64Array, isFine: (timeMs: number) => boolean): number[] | null {
  if (timesMs.every(isFine)) return null;
  return [...timesMs.keys()].filter((index) => isFine(timesMs[index] ?? NaN));
}

function pick({ refs, timestampsMs, values }: SampleBatch, positions: readonly number[]): SampleBatch {
  const picked = new Float64Array(positions.length);
  positions.forEach((position, index) => picked.set(values.subarray(position, position + 1), index));
  return {
    refs: Float64Array.from(positions, (position) => refs[position] ?? 0),
    timestampsMs: Float64Array.from(positions, (position) => timestampsMs[position] ?? 0),
    values: picked,
    count: positions.length,
  };
}

function log(state: StoreState, input: Append): void {
  if (state.sink.bytes.length > LARGEST_KEPT_SINK_BYTES) state.sink = createSink();
  const { sink } = state;
  sink.at = FRAME_HEADER_BYTES;
  for (const { ref, labels } of state.unlogged) writeSeries(sink, ref, labels);
  if (input.samples && input.samples.count > 0) writeSamples(sink, input.samples);
  for (const each of input.histograms ?? []) writeHistogram(sink, each);
  for (const each of input.exemplars ?? []) writeExemplar(sink, each);
  for (const each of input.metadata ?? []) writeMetadata(sink, each);
  if (sink.at === FRAME_HEADER_BYTES) return;
  refuseWhenFull(state, () => state.wal.append(sink));
  state.unlogged = [];
}

/**
 * For who reads behind: a receiver may refuse a whole request for one sample that it
 * has. Where the disk takes no more, it learns of too many; no sample is lost by that.
 */
function logPassedOver({ sink, wal }: StoreState, passedOver: PassedOver): void {
  if (passedOver.samples.length + passedOver.histograms.length === 0) return;
  sink.at = FRAME_HEADER_BYTES;
  writePassedOver(sink, passedOver);
  try {
    wal.append(sink);
  } catch (cause) {
    if (!isDiskFull(cause)) throw cause;
  }
}

/** Turns what a full disk throws into an error that says what to do. */
export function refuseWhenFull(state: StoreState, write: () => void): void {
  try {
    write();
  } catch (cause) {
    if (!isDiskFull(cause)) throw cause;
    state.counts.refusedByDisk++;
    throw diskFull(state, cause);
  }
}

function diskFull({ settings }: StoreState, cause?: unknown): StoreError {
  const message = `no space is left in ${settings.directory}: free some, or keep samples for a shorter time`;
  return new StoreError("disk-full", message, { cause });
}

/** Stops before the disk is full to the last byte: others write to it too. */
function checkSpace(state: StoreState): void {
  const { settings, limits, freeSpace } = state;
  const nowMs = settings.clock.now();
  if (nowMs - freeSpace.checkedAtMs >= SPACE_CHECK_MS || nowMs < freeSpace.checkedAtMs) {
    const { bavail, bsize } = settings.disk.statfsSync(settings.directory);
    state.freeSpace = { checkedAtMs: nowMs, isEnough: bavail * bsize >= limits.minFreeBytes };
  }
  if (state.freeSpace.isEnough) return;
  state.counts.refusedByDisk++;
  throw diskFull(state);
}
