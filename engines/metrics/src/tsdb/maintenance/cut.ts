import { compareLabels } from "../../labels.ts";
import { createBlockWriter } from "../block/block-writer.ts";
import { createSink, writeRaw, type ByteSink } from "../codec/bytes.ts";
import { readHeadFloats, readHeadHistograms, sealedChunks, type HeadSeries } from "../head/head-series.ts";
import { oldestMs, truncateHead, type Head } from "../head/head.ts";
import type { StoreState } from "../store-state.ts";
import { FRAME_HEADER_BYTES } from "../wal/log-files.ts";
import { sealFrame } from "../wal/wal.ts";
import {
  writeChunk,
  writeCut,
  writeExemplar,
  writeMetadata,
  writeNextRef,
  writeSeries,
} from "../wal/wal-records.ts";

/** Series that are written before others have their turn. */
export const SERIES_PER_TURN = 200;
const FRAME_BYTES = 4 * 2 ** 20;

/** A border before which no sample can come any more; null when nothing is ripe. */
export function dueCut({ head, wal, limits }: StoreState): { fromMs: number; beforeMs: number } | null {
  const fromMs = oldestMs(head);
  if (fromMs === Infinity) return null;
  const { blockMs, outOfOrderMs, walBytes } = limits;
  const ripeMs = head.maxMs - outOfOrderMs;
  const borderMs = (Math.floor(fromMs / blockMs) + 1) * blockMs;
  if (borderMs <= ripeMs) return { fromMs: borderMs - blockMs, beforeMs: borderMs };
  return wal.sizeBytes() > walBytes && ripeMs > fromMs ? { fromMs, beforeMs: ripeMs } : null;
}

/**
 * Writes what is before the border into a block, then the rest of the head as the new beginning of
 * the log. A crash between the two leaves samples in both, and those in the log are passed over.
 */
export async function cutHead(state: StoreState, range: { fromMs: number; beforeMs: number }): Promise<void> {
  const { head, blocks } = state;
  head.minValidMs = Math.max(head.minValidMs, range.beforeMs);
  const id = await writeHeadBlock(state, { directory: blocks.directory, ...range });
  if (id !== null) blocks.add(id);
  truncateHead(head, range.beforeMs);
  writeCheckpoint(state);
  state.counts.cuts++;
}

/** Writes a block of what the head holds in the range; null when that is nothing. */
export async function writeHeadBlock(
  { settings, head, blocks }: StoreState,
  { directory, fromMs, beforeMs }: { directory: string; fromMs: number; beforeMs: number },
): Promise<string | null> {
  const id = blocks.newId(0, fromMs);
  const writer = createBlockWriter({
    disk: settings.disk,
    directory,
    origin: {
      id,
      resolutionMs: 0,
      minMs: fromMs,
      maxMs: beforeMs,
      isFromHead: true,
      isImported: false,
      replaces: [],
      gathered: false,
      appliedRules: [],
    },
  });
  try {
    const range = { fromMs: -Infinity, beforeMs };
    for (const [index, series] of sortedSeries(head).entries()) {
      const floats = readHeadFloats(head.memory, series, range);
      writer.add({ labels: series.labels, floats, histograms: readHeadHistograms(series, range) });
      if (index % SERIES_PER_TURN === 0) await settings.pause();
    }
    return writer.commit() === null ? null : id;
  } catch (cause) {
    writer.discard();
    throw cause;
  }
}

function sortedSeries({ byRef }: Head): HeadSeries[] {
  return [...byRef.values()].toSorted((a, b) => compareLabels(a.labels, b.labels));
}

/** Replaces the log by what the head holds: series, samples as they lie in memory, metadata, exemplars. */
function writeCheckpoint(state: StoreState): void {
  const { head, wal, metadata, exemplars } = state;
  const file = createSink(2 ** 20);
  const frame = createSink(FRAME_BYTES + 2 ** 16);
  frame.at = FRAME_HEADER_BYTES;
  writeCut(frame, head.minValidMs);
  writeNextRef(frame, head.nextRef);
  for (const each of metadata.values()) writeMetadata(frame, each);
  for (const series of head.byRef.values()) {
    writeSeries(frame, series.ref, series.labels);
    for (const chunk of sealedChunks(head.memory, series)) writeChunk(frame, series.ref, chunk);
    if (frame.at > FRAME_BYTES) endFrame(file, frame);
  }
  for (const { ref, exemplar } of exemplars.all()) writeExemplar(frame, { ref, ...exemplar });
  endFrame(file, frame);
  wal.checkpoint(file.bytes.subarray(0, file.at));
  state.unlogged = [];
}

function endFrame(file: ByteSink, frame: ByteSink): void {
  writeRaw(file, sealFrame(frame));
  frame.at = FRAME_HEADER_BYTES;
}
