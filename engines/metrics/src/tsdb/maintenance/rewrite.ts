import { compareLabels, type Labels } from "../../labels.ts";
import { createBlockWriter, type BlockOrigin, type BlockSeries } from "../block/block-writer.ts";
import { isDamage } from "../block/block-set.ts";
import type { BlockReader } from "../block/block-reader.ts";
import { joinFloats, joinHistograms } from "../columns.ts";
import type { StoreState } from "../store-state.ts";
import { joinBuckets } from "../tiers/buckets.ts";
import { SERIES_PER_TURN } from "./cut.ts";

const EVERYTHING = { fromMs: -Infinity, beforeMs: Infinity };

export interface Rewrite {
  sources: readonly BlockReader[];
  /** Series that are left out. */
  drops?: (labels: Labels) => boolean;
  appliedRules?: string[];
}

/**
 * One block instead of several, or of one: without what is hidden, and without series that are
 * dropped. Sources that turn out to be damaged are put aside, and the others stay as they are.
 */
export async function rewriteBlocks(
  state: StoreState,
  { sources, drops, appliedRules }: Rewrite,
): Promise<void> {
  const [first] = sources;
  if (first === undefined) return;
  const { blocks } = state;
  const minMs = Math.min(...sources.map((each) => each.meta.minMs));
  const origin: BlockOrigin = {
    id: blocks.newId(first.meta.resolutionMs, minMs),
    resolutionMs: first.meta.resolutionMs,
    minMs,
    maxMs: Math.max(...sources.map((each) => each.meta.maxMs)),
    isFromHead: sources.some((each) => each.meta.isFromHead),
    isImported: sources.some((each) => each.meta.isImported),
    replaces: sources.flatMap((each) => [each.meta.id]),
    gathered: sources.every((each) => each.isGathered()),
    appliedRules: appliedRules ?? [...new Set(sources.flatMap((each) => each.meta.appliedRules))],
  };
  const isWritten = await writeMerged(state, origin, { sources, ...(drops && { drops }) });
  if (isWritten === "written") blocks.add(origin.id);
  if (isWritten === "empty") for (const source of sources) blocks.remove(source);
}

async function writeMerged(
  { settings, blocks }: StoreState,
  origin: BlockOrigin,
  { sources, drops }: Rewrite,
): Promise<"written" | "empty" | "damaged"> {
  const writer = createBlockWriter({ disk: settings.disk, directory: blocks.directory, origin });
  let current = sources[0];
  try {
    for (const [index, { labels, parts }] of mergedSeries(sources, (each) => (current = each)).entries()) {
      if (drops?.(labels)) continue;
      writer.add(readAll(labels, parts, (each) => (current = each)));
      if (index % SERIES_PER_TURN === 0) await settings.pause();
    }
    return writer.commit() === null ? "empty" : "written";
  } catch (cause) {
    writer.discard();
    if (!isDamage(cause) || current === undefined) throw cause;
    blocks.quarantine(current, cause);
    return "damaged";
  }
}

interface Part {
  block: BlockReader;
  series: number;
}

interface Merged {
  labels: Labels;
  parts: Part[];
}

/** Every series once, in the order of labels, with where it is found. */
function mergedSeries(sources: readonly BlockReader[], onRead: (block: BlockReader) => void): Merged[] {
  const byKey = new Map<string, Merged>();
  for (const block of sources) {
    onRead(block);
    for (const series of block.postings().all) {
      const labels = block.labelsOf(series);
      const entry = byKey.get(labels.key) ?? { labels, parts: [] };
      entry.parts.push({ block, series });
      byKey.set(labels.key, entry);
    }
  }
  return [...byKey.values()].toSorted((a, b) => compareLabels(a.labels, b.labels));
}

function readAll(labels: Labels, parts: readonly Part[], onRead: (block: BlockReader) => void): BlockSeries {
  const widthMs = parts[0]?.block.meta.resolutionMs ?? 0;
  const read = <Column>(of: (part: Part) => Column): Column[] =>
    parts.map((part) => {
      onRead(part.block);
      return of(part);
    });
  const histograms = joinHistograms(read(({ block, series }) => block.histograms(series, EVERYTHING)));
  if (widthMs > 0) {
    const buckets = joinBuckets(
      read(({ block, series }) => block.buckets(series, EVERYTHING)),
      widthMs,
    );
    return { labels, buckets, histograms };
  }
  return {
    labels,
    floats: joinFloats(read(({ block, series }) => block.floats(series, EVERYTHING))),
    histograms,
  };
}
