import type { SelectHints } from "../../storage.ts";
import type { TimeRange } from "../columns.ts";
import type { BucketPart } from "./buckets.ts";

/** What the planner has to know of a block. */
export interface PlannedBlock {
  readonly meta: {
    readonly resolutionMs: number;
    readonly minMs: number;
    readonly maxMs: number;
    readonly appliedRules: readonly string[];
    readonly isImported: boolean;
  };
}

export interface PlannedRead<Block> {
  block: Block;
  range: TimeRange;
}

export interface ReadRequest {
  range: TimeRange;
  hints: SelectHints;
}

/** Where a gap in the samples is this long, an instant selector finds nothing (PromQL's lookback). */
const LOOKBACK_MS = 5 * 60_000;
/** How a function over a range reads a bucket: which part of it stands for its samples. */
const PART_BY_FUNCTION: ReadonlyMap<string, BucketPart> = new Map([
  ["rate", "last"],
  ["increase", "last"],
  ["last_over_time", "last"],
  ["predict_linear", "last"],
  ["min_over_time", "min"],
  ["max_over_time", "max"],
  ["sum_over_time", "sum"],
]);
const MEAN = "avg_over_time";
/** A mean over buckets is one of sums and counts: each stands for as many samples as it has. */
const WEIGHTED: ReadonlySet<string> = new Set([MEAN, "count_over_time"]);

/** What a bucket stands for in this query; "mean" is its sum divided by its count, and tells that count. */
export function partFor({ functionName, rangeMs }: SelectHints): BucketPart | "mean" {
  if (rangeMs > 0 && WEIGHTED.has(functionName)) return "mean";
  return (rangeMs > 0 ? PART_BY_FUNCTION.get(functionName) : undefined) ?? "last";
}

/**
 * The coarsest width that serves the query as well as the samples would: no wider than the step, and at
 * least two of it in the range; without a range no wider than the lookback. 0 for the samples themselves.
 */
export function desiredResolution(hints: SelectHints, resolutions: readonly number[]): number {
  const { stepMs, rangeMs, functionName } = hints;
  if (stepMs === 0) return 0;
  const isKnown = functionName === MEAN || PART_BY_FUNCTION.has(functionName);
  if (rangeMs > 0 && !isKnown) return 0;
  const widestMs = rangeMs > 0 ? Math.min(stepMs, rangeMs / 2) : Math.min(stepMs, LOOKBACK_MS);
  return Math.max(0, ...resolutions.filter((each) => each <= widestMs));
}

/**
 * Which block answers for which time: the desired width first, then finer ones from
 * the widest down, then what is coarser and kept for longer. A block that rules
 * took series out of answers for those it has, and leaves its time to others. One that holds imported
 * samples does so too, and is always read, since what others hold of its time was not made of it. Whoever
 * reads takes each time of a series from the first block that tells of it.
 */
export function planReads<Block extends PlannedBlock>(
  blocks: readonly Block[],
  { range, hints }: ReadRequest,
): PlannedRead<Block>[] {
  const resolutions = [...new Set(blocks.map((each) => each.meta.resolutionMs))].toSorted((a, b) => a - b);
  const desired = desiredResolution(hints, resolutions);
  const finer = resolutions.filter((each) => each <= desired).toReversed();
  const coarser = resolutions.filter((each) => each > desired);
  let open: TimeRange[] = [range];
  const reads: PlannedRead<Block>[] = [];
  for (const resolutionMs of [...finer, ...coarser]) {
    const added = blocks
      .filter((block) => block.meta.resolutionMs === resolutionMs)
      .flatMap((block) => (block.meta.isImported ? [range] : open).flatMap((gap) => readIn(block, gap)));
    reads.push(...added);
    const whole = added.filter(({ block }) => isWhole(block));
    for (const { range: taken } of whole) open = open.flatMap((gap) => subtract(gap, taken));
  }
  return reads;
}

function isWhole({ meta }: PlannedBlock): boolean {
  return meta.appliedRules.length === 0 && !meta.isImported;
}

function readIn<Block extends PlannedBlock>(block: Block, gap: TimeRange): PlannedRead<Block>[] {
  const fromMs = Math.max(gap.fromMs, block.meta.minMs);
  const beforeMs = Math.min(gap.beforeMs, block.meta.maxMs);
  return fromMs < beforeMs ? [{ block, range: { fromMs, beforeMs } }] : [];
}

/** What of the gap is not taken. */
export function subtract(gap: TimeRange, taken: TimeRange): TimeRange[] {
  return [
    { fromMs: gap.fromMs, beforeMs: Math.min(gap.beforeMs, taken.fromMs) },
    { fromMs: Math.max(gap.fromMs, taken.beforeMs), beforeMs: gap.beforeMs },
  ].filter((each) => each.fromMs < each.beforeMs);
}
