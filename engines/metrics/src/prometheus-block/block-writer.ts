import { join } from "node:path";
import type { Labels } from "../labels.ts";
import { removeTree, syncDirectory, writeFile, type Disk } from "../tsdb/disk.ts";
import type { SampleChunk } from "../wire/chunks/sample-chunks.ts";
import { compareSeries } from "../wire/chunks/compare-bytes.ts";
import { createChunkFiles } from "./chunk-files.ts";
import { writeIndex, type IndexedChunk } from "./index-file.ts";
import { createUlid } from "./ulid.ts";

export interface BlockWriterOptions {
  /** `node:fs`. */
  disk: Disk;
  /** Where the block's directory is made. */
  directory: string;
  nowMs: number;
  random(bytes: number): Uint8Array;
}

/** What a block holds. */
export interface WrittenBlock {
  ulid: string;
  series: number;
  chunks: number;
  samples: number;
  minMs: number;
  maxMs: number;
}

/**
 * Writes one block of Prometheus' time-series database; of
 * chunks as they come, nothing is kept but their place.
 */
export interface BlockWriter {
  /**
   * Series come in the order of their labels, and their
   * chunks in the order of time; a series may come in pieces.
   */
  add(labels: Labels, chunks: readonly SampleChunk[]): void;
  /** Puts the block in its place; null, and nothing is there, when it would hold no series. */
  finish(): WrittenBlock | null;
  /** Takes away what was written. */
  abandon(): void;
}

/** Prometheus takes a directory with this ending for what was left behind, and removes it. */
const DRAFT = ".tmp-for-creation";
const META_VERSION = 1;

export function createBlockWriter({ disk, directory, nowMs, random }: BlockWriterOptions): BlockWriter {
  const ulid = createUlid(nowMs, random);
  const draft = join(directory, `${ulid}${DRAFT}`);
  const files = createChunkFiles(disk, join(draft, "chunks"));
  const series: { labels: Labels; chunks: IndexedChunk[] }[] = [];
  const total = { chunks: 0, samples: 0, minMs: Infinity, maxMs: -Infinity };

  function seriesOf(labels: Labels): IndexedChunk[] {
    const last = series.at(-1);
    if (last?.labels.key === labels.key) return last.chunks;
    if (last !== undefined && compareSeries(last.labels, labels) > 0)
      throw new Error("the series of a block must come in the order of their labels");
    const chunks: IndexedChunk[] = [];
    series.push({ labels, chunks });
    return chunks;
  }

  return {
    add(labels, chunks) {
      const known = seriesOf(labels);
      for (const chunk of chunks) {
        const { minMs, maxMs, samples } = chunk;
        if (minMs <= (known.at(-1)?.maxMs ?? -Infinity))
          throw new Error("the chunks of a series must not overlap");
        known.push({ minMs, maxMs, place: files.add(chunk) });
        total.chunks += 1;
        total.samples += samples;
        total.minMs = Math.min(total.minMs, minMs);
        total.maxMs = Math.max(total.maxMs, maxMs);
      }
    },
    finish() {
      files.close();
      if (total.chunks === 0) {
        removeTree(disk, draft);
        return null;
      }
      writeIndex(disk, join(draft, "index"), series);
      const block = { ulid, series: series.length, ...total };
      writeFile(disk, join(draft, "meta.json"), new TextEncoder().encode(metaOf(block)));
      syncDirectory(disk, join(draft, "chunks"));
      syncDirectory(disk, draft);
      disk.renameSync(draft, join(directory, ulid));
      syncDirectory(disk, directory);
      return block;
    },
    abandon() {
      files.close();
      removeTree(disk, draft);
    },
  };
}

/** `maxTime` is behind the last sample. */
function metaOf({ ulid, series, chunks, samples, minMs, maxMs }: WrittenBlock): string {
  const meta = {
    ...{ ulid, minTime: minMs, maxTime: maxMs + 1 },
    stats: { numSamples: samples, numSeries: series, numChunks: chunks },
    compaction: { level: 1, sources: [ulid] },
    version: META_VERSION,
  };
  return `${JSON.stringify(meta, null, "\t")}\n`;
}
