import type { BlockSet } from "./block/block-set.ts";
import type { BlockCaches } from "./block/block-reader.ts";
import type { Metadata } from "./batch.ts";
import type { RefusalLedger } from "./cardinality/budget.ts";
import type { ByteSink } from "./codec/bytes.ts";
import type { ExemplarRing } from "./exemplars.ts";
import type { Head } from "./head/head.ts";
import type { HeadSeries } from "./head/head-series.ts";
import type { StoreLimits, StoreSettings } from "./settings.ts";
import type { Wal, WalReplay } from "./wal/wal.ts";

/** What happened since the store was opened; everything that was not kept is in here. */
export interface StoreCounts {
  appended: number;
  repeated: number;
  refused: Record<"too-old" | "duplicate" | "too-far-ahead" | "unknown-series" | "invalid", number>;
  refusedSeries: number;
  /** Calls that were refused because the disk is full. */
  refusedByDisk: number;
  cuts: number;
  merges: number;
  expiredBlocks: number;
  failedMaintenance: number;
}

/** The parts of an open store, which its functions share. */
export interface StoreState {
  settings: StoreSettings;
  limits: StoreLimits;
  head: Head;
  wal: Wal;
  blocks: BlockSet;
  caches: BlockCaches;
  exemplars: ExemplarRing;
  metadata: Map<string, Metadata>;
  refusals: RefusalLedger;
  counts: StoreCounts;
  replayed: WalReplay & { unknownSeries: number };
  /** Series that stand in no frame of the log as yet. */
  unlogged: HeadSeries[];
  /** Who reads the log behind those that write it, by name. */
  followers: Map<string, { close(): void }>;
  sink: ByteSink;
  isClosed: boolean;
  /** The last time somebody looked how much room is left, and what was seen. */
  freeSpace: { checkedAtMs: number; isEnough: boolean };
}
