import type { Matcher } from "../storage.ts";
import type { Disk } from "./disk.ts";

/** Samples as they came (0), or buckets of that width, and how long and how much of them is kept. */
export interface TierSettings {
  resolutionMs: number;
  keepMs: number;
  /** Beyond it the oldest blocks go; Infinity for no limit. */
  keepBytes: number;
}

/** Series that are kept for another time than the others; the first rule that matches a series counts. */
export interface RetentionRule {
  /** Tells rules apart; with another name a rule is applied anew. */
  name: string;
  matchers: readonly Matcher[];
  /** By width of the tier; a tier that is not named keeps its own time. */
  keepMs: ReadonlyMap<number, number>;
}

/** What the series of the head may grow to; what is there goes on, what is new is refused. */
export interface CardinalityBudget {
  series: number;
  /** How many of `series` are kept free for those that are resolved as reserved. */
  reservedSeries: number;
  seriesPerMetric: number;
  /** Different values of any one label. */
  valuesPerLabel: number;
  labelsPerSeries: number;
  valueCharacters: number;
}

export interface StoreLimits {
  /** Width of the blocks that are cut from the head. */
  blockMs: number;
  /** How late a sample may come, behind the newest of all. */
  outOfOrderMs: number;
  /** How far a sender's clock may run ahead. */
  aheadMs: number;
  segmentBytes: number;
  /** A log that grows beyond it is cut before its time. */
  walBytes: number;
  /** With less free space on the disk nothing is taken in. */
  minFreeBytes: number;
  tiers: readonly TierSettings[];
  retentionRules: readonly RetentionRule[];
  budget: CardinalityBudget;
  exemplars: number;
  /** Memory for decoded pages, and for indexes of blocks. */
  pageCacheBytes: number;
  indexCacheBytes: number;
}

export interface StoreSettings extends Partial<StoreLimits> {
  /** `node:fs`. */
  disk: Disk;
  directory: string;
  clock: { now(): number };
  /** Long work calls it now and then, so that others have their turn. */
  pause: () => Promise<void>;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const MIB = 2 ** 20;

const tier = (resolutionMs: number, keepDays: number): TierSettings => ({
  resolutionMs,
  keepMs: keepDays * DAY_MS,
  keepBytes: Infinity,
});

export const DEFAULT_LIMITS: StoreLimits = {
  blockMs: 2 * HOUR_MS,
  outOfOrderMs: 30 * MINUTE_MS,
  aheadMs: 10 * MINUTE_MS,
  segmentBytes: 32 * MIB,
  walBytes: 512 * MIB,
  minFreeBytes: 100 * MIB,
  tiers: [
    tier(0, 15),
    tier(MINUTE_MS, 30),
    tier(5 * MINUTE_MS, 90),
    tier(15 * MINUTE_MS, 180),
    tier(HOUR_MS, 400),
    tier(DAY_MS, 5 * 365),
  ],
  retentionRules: [],
  budget: {
    series: 100_000,
    reservedSeries: 0,
    seriesPerMetric: 10_000,
    valuesPerLabel: 50_000,
    labelsPerSeries: 30,
    valueCharacters: 1024,
  },
  exemplars: 20_000,
  pageCacheBytes: 32 * MIB,
  indexCacheBytes: 64 * MIB,
};
