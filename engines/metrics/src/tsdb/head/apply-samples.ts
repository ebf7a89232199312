import type { AppendResult, HistogramSample, RefusalReason, SampleBatch } from "../batch.ts";
import { isSameSample } from "../../stale.ts";
import { isSameHistogram } from "../codec/histogram-column.ts";
import { wordsOf } from "../codec/value-column.ts";
import { joinFloats, joinHistograms, positionOf } from "../columns.ts";
import type { Head } from "./head.ts";
import {
  pushHistogram,
  readHeadFloats,
  readHeadHistograms,
  sealFloats,
  type HeadSeries,
} from "./head-series.ts";
import { OPEN_SAMPLES } from "./open-samples.ts";

/** What decides whether a sample is taken. */
export interface Admission {
  /** How late a sample may be, behind the newest of all. */
  outOfOrderMs: number;
  /** Samples after this are refused. */
  latestMs: number;
}

/** The rules, and where it is counted what became of each. */
export interface Admitting {
  admission: Admission;
  result: AppendResult;
  /** Where those stood that the head did not take, or had already. */
  passedOver?: { samples: number[]; histograms: number[] };
}

type Verdict = "append" | "late" | "repeated" | RefusalReason;

/** Puts samples into the head in their order and counts in `result` what became of them. */
export function applySamples(
  head: Head,
  batch: SampleBatch,
  { admission, result, passedOver }: Admitting,
): void {
  const words = wordsOf(batch.values);
  const { open } = head.memory;
  for (let index = 0; index < batch.count; index++) {
    const ref = batch.refs[index] ?? 0;
    const timeMs = batch.timestampsMs[index] ?? NaN;
    const series = head.byRef.get(ref);
    // What nearly every sample is comes first, and nothing is made for it.
    if (series !== undefined && timeMs > series.lastMs && isInTime(head, timeMs, admission)) {
      if (series.slot === -1) series.slot = open.take();
      open.put({ slot: series.slot, index: series.openCount++, timeMs }, { words, at: index });
      series.lastMs = timeMs;
      if (timeMs > head.maxMs) head.maxMs = timeMs;
      if (series.openCount === OPEN_SAMPLES) sealFloats(head.memory, series);
      result.appended++;
      continue;
    }
    const verdict = judgeFloat(head, { series, timeMs, values: batch.values, index }, admission);
    if (verdict === "late" && series !== undefined) {
      const one = {
        timestampsMs: Float64Array.of(timeMs),
        values: batch.values.slice(index, index + 1),
      };
      series.late = joinFloats([series.late, one]);
      result.appended++;
    } else {
      count(result, { kind: "sample", index, ref, verdict });
      passedOver?.samples.push(index);
    }
  }
}

/** Neither before what is sealed nor ahead of the clock. */
function isInTime({ minValidMs }: Head, timeMs: number, { latestMs }: Admission): boolean {
  return timeMs >= minValidMs && timeMs <= latestMs && Number.isSafeInteger(timeMs);
}

interface Candidate {
  series: HeadSeries | undefined;
  timeMs: number;
  values: Float64Array;
  index: number;
}

function judgeFloat(head: Head, { series, timeMs, values, index }: Candidate, admission: Admission): Verdict {
  const verdict = judgeTime(head, { series, timeMs }, admission);
  if (verdict !== "late" || series === undefined) return verdict;
  const there = readHeadFloats(head.memory, series, { fromMs: timeMs, beforeMs: timeMs + 1 });
  const at = positionOf(there.timestampsMs, timeMs);
  if (there.timestampsMs[at] !== timeMs) return hasHistogramAt(series, timeMs) ? "duplicate" : "late";
  const isSame = isSameSample({ values: there.values, at }, { values, at: index });
  return isSame ? "repeated" : "duplicate";
}

/** "late" for everything that is not behind the newest of its series: it may stand there already. */
function judgeTime(
  head: Head,
  { series, timeMs }: { series: HeadSeries | undefined; timeMs: number },
  { latestMs, outOfOrderMs }: Admission,
): Verdict {
  if (series === undefined) return "unknown-series";
  if (!Number.isSafeInteger(timeMs)) return "invalid";
  if (timeMs > latestMs) return "too-far-ahead";
  if (timeMs < head.minValidMs) return "too-old";
  if (timeMs > series.lastMs) return "append";
  return timeMs < head.maxMs - outOfOrderMs ? "too-old" : "late";
}

function hasHistogramAt(series: HeadSeries, timeMs: number): boolean {
  return readHeadHistograms(series, { fromMs: timeMs, beforeMs: timeMs + 1 }).values.length > 0;
}

interface Outcome {
  kind: "sample" | "histogram";
  index: number;
  ref: number;
  verdict: Verdict;
}

function count(result: AppendResult, { kind, index, ref, verdict }: Outcome): void {
  if (verdict === "repeated") result.repeated++;
  else if (verdict !== "append" && verdict !== "late")
    result.refused.push({ kind, index, ref, reason: verdict });
}

/** The same for native histograms. */
export function applyHistogram(
  head: Head,
  { sample, index }: { sample: HistogramSample; index: number },
  { admission, result, passedOver }: Admitting,
): void {
  const { ref, timestampMs, value } = sample;
  const series = head.byRef.get(ref);
  const verdict = judgeHistogram(head, sample, admission);
  if (series !== undefined && verdict === "append") pushHistogram(head.memory, series, sample);
  else if (series !== undefined && verdict === "late") {
    const one = { timestampsMs: Float64Array.of(timestampMs), values: [value] };
    series.lateHistograms = joinHistograms([series.lateHistograms, one]);
  } else {
    passedOver?.histograms.push(index);
    return count(result, { kind: "histogram", index, ref, verdict });
  }
  head.maxMs = Math.max(head.maxMs, timestampMs);
  result.appended++;
}

function judgeHistogram(
  head: Head,
  { ref, timestampMs, value }: HistogramSample,
  admission: Admission,
): Verdict {
  const series = head.byRef.get(ref);
  const verdict = judgeTime(head, { series, timeMs: timestampMs }, admission);
  if (verdict !== "late" || series === undefined) return verdict;
  const range = { fromMs: timestampMs, beforeMs: timestampMs + 1 };
  const [there] = readHeadHistograms(series, range).values;
  if (there !== undefined) return isSameHistogram(there, value) ? "repeated" : "duplicate";
  return readHeadFloats(head.memory, series, range).timestampsMs.length > 0 ? "duplicate" : "late";
}
