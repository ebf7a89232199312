import type { BlockMeta } from "../block/block-meta.ts";

/**
 * Widths that blocks grow to, as multiples of what is cut
 * from the head: 2 h, 12 h, 3 d, and 30 d for buckets.
 */
const GROWTH = [6, 36];
const GROWTH_OF_BUCKETS = [6, 36, 360];

/** What the plan has to know of a block. */
export interface MergeableBlock {
  readonly meta: Pick<BlockMeta, "resolutionMs" | "minMs" | "maxMs">;
  isGathered(): boolean;
}

/**
 * Blocks that become one: those of a window that is over, the narrowest window first; null
 * when there is nothing to do. Raw blocks wait until coarser ones have been made of them.
 */
export function planMerge<Block extends MergeableBlock>(
  blocks: readonly Block[],
  { blockMs, sealedMs }: { blockMs: number; sealedMs: number },
): Block[] | null {
  for (const resolutionMs of new Set(blocks.map((each) => each.meta.resolutionMs))) {
    const same = blocks.filter((each) => each.meta.resolutionMs === resolutionMs);
    for (const factor of resolutionMs === 0 ? GROWTH : GROWTH_OF_BUCKETS) {
      const group = firstGroup(same, factor * blockMs, sealedMs);
      if (group !== null) return group;
    }
  }
  return null;
}

function firstGroup<Block extends MergeableBlock>(
  blocks: readonly Block[],
  windowMs: number,
  sealedMs: number,
): Block[] | null {
  const groups = new Map<number, Block[]>();
  for (const block of blocks) {
    const window = Math.floor(block.meta.minMs / windowMs);
    const endMs = (window + 1) * windowMs;
    const isReady = block.meta.resolutionMs > 0 || block.isGathered();
    if (block.meta.maxMs > endMs || endMs > sealedMs || !isReady) continue;
    groups.set(window, [...(groups.get(window) ?? []), block]);
  }
  return [...groups.values()].find((group) => group.length > 1) ?? null;
}
