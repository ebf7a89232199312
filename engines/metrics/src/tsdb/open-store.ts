import { join } from "node:path";
import { createBlockCaches } from "./block/block-reader.ts";
import { openBlockSet } from "./block/block-set.ts";
import { createRefusalLedger } from "./cardinality/budget.ts";
import { createSink } from "./codec/bytes.ts";
import { createExemplarRing } from "./exemplars.ts";
import { applyHistogram, applySamples } from "./head/apply-samples.ts";
import { addHeadChunk, addSeries, createHead, deleteFromHead, truncateHead } from "./head/head.ts";
import { keepExemplar } from "./append.ts";
import { DEFAULT_LIMITS, type StoreLimits, type StoreSettings } from "./settings.ts";
import type { StoreCounts, StoreState } from "./store-state.ts";
import { createWal } from "./wal/wal.ts";
import { readRecords, type WalReader } from "./wal/wal-records.ts";

/** Opens blocks, then replays the log: what it returns answers. */
export function openStoreState(settings: StoreSettings): StoreState {
  const limits: StoreLimits = { ...DEFAULT_LIMITS, ...settings };
  const { disk, directory } = settings;
  disk.mkdirSync(directory, { recursive: true });
  const caches = createBlockCaches({ indexBytes: limits.indexCacheBytes, pageBytes: limits.pageCacheBytes });
  const state: StoreState = {
    settings,
    limits,
    head: createHead(),
    wal: createWal({ disk, directory: join(directory, "wal"), segmentBytes: limits.segmentBytes }),
    blocks: openBlockSet(disk, directory, caches),
    caches,
    exemplars: createExemplarRing(limits.exemplars),
    metadata: new Map(),
    refusals: createRefusalLedger(),
    counts: emptyCounts(),
    replayed: { segments: 0, frames: 0, bytes: 0, tornSegments: 0, tornBytes: 0, unknownSeries: 0 },
    unlogged: [],
    followers: new Map(),
    sink: createSink(64 * 1024),
    isClosed: false,
    freeSpace: { checkedAtMs: -Infinity, isEnough: true },
  };
  replay(state);
  return state;
}

function replay(state: StoreState): void {
  const { head, blocks, wal } = state;
  const sealed = blocks.all().filter(({ meta }) => meta.isFromHead && meta.resolutionMs === 0);
  head.minValidMs = Math.max(-Infinity, ...sealed.map(({ meta }) => meta.maxMs));
  const reader = walReader(state);
  Object.assign(
    state.replayed,
    wal.replay((payload) => readRecords(payload, reader)),
  );
  truncateHead(head, head.minValidMs);
}

/**
 * Decides as it was decided when the samples came; what was
 * refused then is refused again, and not counted twice.
 */
function walReader(state: StoreState): WalReader {
  const { head, limits, replayed } = state;
  const admission = { outOfOrderMs: limits.outOfOrderMs, latestMs: Infinity };
  const admit = () => ({ admission, result: { appended: 0, repeated: 0, refused: [] } });
  // A series that ended and came back has two references, if the log was not begun anew between them.
  const renamed = new Map<number, number>();
  const refOf = (ref: number): number => renamed.get(ref) ?? ref;
  return {
    onSeries: (ref, labels) => {
      const known = head.byKey.get(labels.key);
      if (known === undefined) addSeries(head, labels, ref);
      else if (known.ref !== ref) renamed.set(ref, known.ref);
      head.nextRef = Math.max(head.nextRef, ref + 1);
    },
    onSamples: (batch) => {
      for (let index = 0; renamed.size > 0 && index < batch.count; index++)
        batch.refs[index] = refOf(batch.refs[index] ?? 0);
      applySamples(head, batch, admit());
    },
    onHistogram: (sample) =>
      applyHistogram(head, { sample: { ...sample, ref: refOf(sample.ref) }, index: 0 }, admit()),
    onExemplar: (exemplar) => keepExemplar(state, { ...exemplar, ref: refOf(exemplar.ref) }),
    onMetadata: (metadata) => state.metadata.set(metadata.metric, metadata),
    onDeletion: (refs, range) => deleteFromHead(head, refs.map(refOf), range),
    onChunk: (ref, chunk) => {
      if (!addHeadChunk(head, refOf(ref), chunk)) replayed.unknownSeries++;
    },
    onCut: (timeMs) => {
      head.minValidMs = Math.max(head.minValidMs, timeMs);
    },
    onPassedOver: () => {},
    onNextRef: (ref) => {
      head.nextRef = Math.max(head.nextRef, ref);
    },
  };
}

function emptyCounts(): StoreCounts {
  return {
    appended: 0,
    repeated: 0,
    refused: { "too-old": 0, duplicate: 0, "too-far-ahead": 0, "unknown-series": 0, invalid: 0 },
    refusedSeries: 0,
    refusedByDisk: 0,
    cuts: 0,
    merges: 0,
    expiredBlocks: 0,
    failedMaintenance: 0,
  };
}
