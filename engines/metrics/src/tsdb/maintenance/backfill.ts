import { compareLabels, type Labels } from "../../labels.ts";
import type { FloatColumn, HistogramColumn } from "../../storage.ts";
import { refuseWhenFull } from "../append.ts";
import { createBlockWriter } from "../block/block-writer.ts";
import { NO_FLOATS, NO_HISTOGRAMS, sliceFloats, sliceHistograms, type TimeRange } from "../columns.ts";
import { oldestMs } from "../head/head.ts";
import { StoreError } from "../store-error.ts";
import type { StoreState } from "../store-state.ts";
import { FRAME_HEADER_BYTES } from "../wal/log-files.ts";
import { writeCut } from "../wal/wal-records.ts";
import { SERIES_PER_TURN } from "./cut.ts";
import { gatherTiers } from "./gather.ts";

/** A series of the past, with columns as of a block: times strictly rising. */
export interface PastSeries {
  labels: Labels;
  floats?: FloatColumn;
  histograms?: HistogramColumn;
}

/** Blocks of the past are as wide as those that raw blocks grow to. */
const WINDOW_BLOCKS = 36;

/**
 * The border before which samples can be written as blocks of the past. From then on nothing before it comes
 * through the log any more, so that blocks of the head never overlap what was added behind their back.
 */
export function sealPast(state: StoreState): number {
  const { head, limits, settings, wal } = state;
  const oldest = oldestMs(head);
  const newestMs = oldest === Infinity ? settings.clock.now() - limits.outOfOrderMs : oldest;
  const borderMs = Math.floor(newestMs / limits.blockMs) * limits.blockMs;
  if (borderMs <= head.minValidMs) return head.minValidMs;
  const { sink } = state;
  sink.at = FRAME_HEADER_BYTES;
  writeCut(sink, borderMs);
  refuseWhenFull(state, () => wal.append(sink));
  head.minValidMs = borderMs;
  return borderMs;
}

/**
 * Writes samples of the past as blocks, and the coarser ones of them. Where others stand at the same time
 * already, one of both is kept. Answers how many samples were written.
 */
export async function backfill(state: StoreState, series: readonly PastSeries[]): Promise<number> {
  const borderMs = state.head.minValidMs;
  const sorted = series.toSorted((a, b) => compareLabels(a.labels, b.labels));
  for (const each of sorted) check(each, borderMs);
  let written = 0;
  for (const range of windowsOf(sorted, WINDOW_BLOCKS * state.limits.blockMs)) {
    written += await writeWindow(state, sorted, range);
  }
  return written;
}

function check({ floats = NO_FLOATS, histograms = NO_HISTOGRAMS }: PastSeries, borderMs: number): void {
  for (const { timestampsMs } of [floats, histograms]) {
    let lastMs = -Infinity;
    for (const timeMs of timestampsMs) {
      if (!Number.isSafeInteger(timeMs) || timeMs <= lastMs)
        throw new StoreError("malformed", "times of the past have to be whole milliseconds that rise");
      lastMs = timeMs;
    }
    if (lastMs >= borderMs)
      throw new StoreError("malformed", `${lastMs} is not in the past, which ends at ${borderMs}`);
  }
}

/** The windows that hold samples, the oldest first. */
function windowsOf(series: readonly PastSeries[], widthMs: number): TimeRange[] {
  const windows = new Set<number>();
  for (const { floats, histograms } of series) {
    for (const timeMs of floats?.timestampsMs ?? []) windows.add(Math.floor(timeMs / widthMs));
    for (const timeMs of histograms?.timestampsMs ?? []) windows.add(Math.floor(timeMs / widthMs));
  }
  return [...windows]
    .toSorted((a, b) => a - b)
    .map((window) => ({ fromMs: window * widthMs, beforeMs: (window + 1) * widthMs }));
}

async function writeWindow(
  state: StoreState,
  series: readonly PastSeries[],
  range: TimeRange,
): Promise<number> {
  const { settings, blocks, head } = state;
  const id = blocks.newId(0, range.fromMs);
  const writer = createBlockWriter({
    disk: settings.disk,
    directory: blocks.directory,
    origin: {
      ...{ id, resolutionMs: 0, minMs: range.fromMs, maxMs: Math.min(range.beforeMs, head.minValidMs) },
      ...{ isFromHead: false, isImported: true, replaces: [], gathered: false, appliedRules: [] },
    },
  });
  let samples = 0;
  try {
    for (const [index, { labels, floats, histograms }] of series.entries()) {
      const part = {
        labels,
        floats: sliceFloats(floats ?? NO_FLOATS, range),
        histograms: sliceHistograms(histograms ?? NO_HISTOGRAMS, range),
      };
      samples += part.floats.timestampsMs.length + part.histograms.timestampsMs.length;
      refuseWhenFull(state, () => writer.add(part));
      if (index % SERIES_PER_TURN === 0) await settings.pause();
    }
    refuseWhenFull(state, () => void writer.commit());
  } catch (cause) {
    writer.discard();
    throw cause;
  }
  const block = blocks.add(id);
  if (block !== null) await gatherTiers(state, block);
  return samples;
}
