import type { HistogramColumn } from "../../storage.ts";
import type { BlockReader } from "../block/block-reader.ts";
import { createBlockWriter, type BlockWriter } from "../block/block-writer.ts";
import { isDamage } from "../block/block-set.ts";
import type { StoreState } from "../store-state.ts";
import { bucketOf, gatherBuckets } from "../tiers/buckets.ts";
import { SERIES_PER_TURN } from "./cut.ts";

const EVERYTHING = { fromMs: -Infinity, beforeMs: Infinity };

/**
 * Makes the blocks of every tier from one of raw samples, which says so afterwards; each tier at most once.
 */
export async function gatherTiers(state: StoreState, block: BlockReader): Promise<void> {
  const { limits, blocks, settings } = state;
  const nowMs = settings.clock.now();
  const missing = limits.tiers.filter(({ resolutionMs, keepMs }) => {
    if (resolutionMs === 0 || block.meta.maxMs < nowMs - keepMs) return false;
    return !blocks.all().some((each) => each.meta.id === idOf(block, resolutionMs));
  });
  const writers = missing.map(({ resolutionMs }) => ({
    resolutionMs,
    writer: writerFor(state, block, resolutionMs),
  }));
  try {
    await writeTiers(state, block, writers);
    for (const { resolutionMs, writer } of writers) {
      if (writer.commit() !== null) blocks.add(idOf(block, resolutionMs));
    }
  } catch (cause) {
    for (const { writer } of writers) writer.discard();
    if (!isDamage(cause)) throw cause;
    blocks.quarantine(block, cause);
    return;
  }
  block.markGathered();
}

/** Told by the block it is made of, so that it is not made twice. */
function idOf(block: BlockReader, resolutionMs: number): string {
  return `${resolutionMs}-of-${block.meta.id}`;
}

function writerFor({ settings, blocks }: StoreState, block: BlockReader, resolutionMs: number): BlockWriter {
  const { minMs, maxMs } = block.meta;
  return createBlockWriter({
    disk: settings.disk,
    directory: blocks.directory,
    origin: {
      id: idOf(block, resolutionMs),
      resolutionMs,
      minMs,
      maxMs,
      isFromHead: false,
      isImported: block.meta.isImported,
      replaces: [],
      gathered: true,
      appliedRules: block.meta.appliedRules,
    },
  });
}

async function writeTiers(
  { settings }: StoreState,
  block: BlockReader,
  writers: readonly { resolutionMs: number; writer: BlockWriter }[],
): Promise<void> {
  for (const series of block.postings().all) {
    const labels = block.labelsOf(series);
    const floats = block.floats(series, EVERYTHING);
    const histograms = block.histograms(series, EVERYTHING);
    for (const { resolutionMs, writer } of writers) {
      const buckets = gatherBuckets(floats, resolutionMs);
      writer.add({ labels, buckets, histograms: lastOfBuckets(histograms, resolutionMs) });
    }
    if (series % SERIES_PER_TURN === 0) await settings.pause();
  }
}

/** Of native histograms the last of each bucket stays: as counters they hold what came before. */
function lastOfBuckets({ timestampsMs, values }: HistogramColumn, widthMs: number): HistogramColumn {
  const isLast = (index: number) => {
    const next = timestampsMs[index + 1];
    return next === undefined || bucketOf(next, widthMs) !== bucketOf(timestampsMs[index] ?? 0, widthMs);
  };
  const kept = [...timestampsMs.keys()].filter(isLast);
  return {
    timestampsMs: Float64Array.from(kept, (index) => timestampsMs[index] ?? 0),
    values: values.filter((_, index) => isLast(index)),
  };
}
