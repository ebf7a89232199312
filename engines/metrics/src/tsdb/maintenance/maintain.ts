import { refuseWhenFull } from "../append.ts";
import type { StoreState } from "../store-state.ts";
import { cutHead, dueCut } from "./cut.ts";
import { gatherTiers } from "./gather.ts";
import { planMerge } from "./merge.ts";
import { applyRetention } from "./retain.ts";
import { rewriteBlocks } from "./rewrite.ts";

/**
 * Everything that is due: cuts, coarser blocks, merges,
 * retention. What goes first makes room for what follows.
 */
export async function maintain(state: StoreState): Promise<void> {
  try {
    await applyRetention(state);
    for (let due = dueCut(state); due !== null; due = dueCut(state)) await cutHead(state, due);
    for (const block of [...state.blocks.all()]) {
      if (block.meta.resolutionMs === 0 && !block.isGathered()) await gatherTiers(state, block);
    }
    await mergeAll(state);
  } catch (cause) {
    state.counts.failedMaintenance++;
    refuseWhenFull(state, () => {
      throw cause;
    });
  }
}

async function mergeAll(state: StoreState): Promise<void> {
  const window = () => ({ blockMs: state.limits.blockMs, sealedMs: state.head.minValidMs });
  for (let group = planMerge(state.blocks.all(), window()); group !== null;) {
    const before = state.blocks.all();
    await rewriteBlocks(state, { sources: group });
    state.counts.merges++;
    group = before === state.blocks.all() ? null : planMerge(state.blocks.all(), window());
  }
}
