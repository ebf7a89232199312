import type { BlockMeta } from "./block/block-meta.ts";
import type { QuarantinedBlock } from "./block/block-set.ts";
import type { RefusalCount } from "./cardinality/budget.ts";
import type { StoreCounts, StoreState } from "./store-state.ts";

/** What a store holds, and everything that it did not take. */
export interface StoreStatus {
  head: {
    series: number;
    chunks: number;
    minMs: number | null;
    maxMs: number | null;
    /** Memory of samples; labels and lists come on top. */
    sampleBytes: number;
  };
  walBytes: number;
  blocks: BlockMeta[];
  blockBytes: number;
  quarantined: readonly QuarantinedBlock[];
  counts: StoreCounts;
  refusedSeries: RefusalCount[];
  replayed: StoreState["replayed"];
  hasEnoughSpace: boolean;
}

export function statusOf(state: StoreState, oldestMs: number): StoreStatus {
  const { head, wal, blocks, counts, refusals, replayed, freeSpace } = state;
  const metas = blocks.all().map((each) => each.meta);
  return {
    head: {
      series: head.byRef.size,
      chunks: head.byRef
        .values()
        .reduce((sum, { chunks, openCount }) => sum + chunks.length + Math.sign(openCount), 0),
      minMs: Number.isFinite(oldestMs) ? oldestMs : null,
      maxMs: Number.isFinite(head.maxMs) ? head.maxMs : null,
      sampleBytes: head.memory.open.sizeBytes() + head.memory.arena.sizeBytes(),
    },
    walBytes: wal.sizeBytes(),
    blocks: metas,
    blockBytes: metas.reduce((sum, each) => sum + each.pagesBytes + each.indexBytes, 0),
    quarantined: blocks.quarantined(),
    counts,
    refusedSeries: refusals.all(),
    replayed,
    hasEnoughSpace: freeSpace.isEnough,
  };
}
