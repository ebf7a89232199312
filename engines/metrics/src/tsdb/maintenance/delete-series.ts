import type { BlockReader } from "../block/block-reader.ts";
import type { Tombstones } from "../block/tombstones.ts";
import { createSink } from "../codec/bytes.ts";
import type { TimeRange } from "../columns.ts";
import { deleteFromHead, selectSeries } from "../head/head.ts";
import type { CompiledMatcher } from "../index/compiled-matcher.ts";
import type { StoreState } from "../store-state.ts";
import { FRAME_HEADER_BYTES } from "../wal/log-files.ts";
import { writeDeletion } from "../wal/wal-records.ts";
import { rewriteBlocks } from "./rewrite.ts";

/** Hides samples at once; their bytes go when blocks are written again. Returns how many series had any. */
export function deleteSamples(
  state: StoreState,
  matchers: readonly CompiledMatcher[],
  range: TimeRange,
): number {
  const touched = new Set<string>();
  const series = selectSeries(state.head, matchers);
  if (series.length > 0) {
    const refs = series.map((each) => each.ref);
    const sink = createSink();
    sink.at = FRAME_HEADER_BYTES;
    writeDeletion(sink, refs, range);
    state.wal.append(sink);
    state.wal.sync();
    deleteFromHead(state.head, refs, range);
    for (const each of series) touched.add(each.labels.key);
  }
  for (const block of state.blocks.all()) {
    if (block.meta.maxMs <= range.fromMs || block.meta.minMs >= range.beforeMs) continue;
    hideIn(block, matchers, range).forEach((key) => touched.add(key));
  }
  return touched.size;
}

function hideIn(block: BlockReader, matchers: readonly CompiledMatcher[], range: TimeRange): string[] {
  const series = block.select(matchers);
  const added: Tombstones = new Map(series.map((each) => [each, [range]]));
  if (series.length > 0) block.hide(added);
  return series.map((each) => block.labelsOf(each).key);
}

/** Writes every block again that holds hidden samples. */
export async function cleanTombstones(state: StoreState): Promise<void> {
  for (const block of [...state.blocks.all()]) {
    if (block.tombstones().size > 0) await rewriteBlocks(state, { sources: [block] });
  }
}
