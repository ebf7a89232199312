import { createCompactRange, hashTree } from "./compact-range.ts";
import type { Hash } from "./hash.ts";
import { LogError } from "./log-error.ts";
import { readEntries, readHashes, type LogSource } from "./log-store.ts";
import { isCount } from "./powers-of-two.ts";
import { isSubtree, proofRanges, type Range } from "./proof-ranges.ts";
import { TILE_HEIGHT, TILE_WIDTH, tileAt } from "./tiles.ts";

/**
 * A log as it was at one size, read from its tiles alone.
 * What it answers is proven by nothing but its proofs.
 */
export interface LogReader {
  size: number;
  entryAt(index: number): Promise<Uint8Array>;
  /** Merkle Tree Hash of the entries of a subtree. */
  hashOf(subtree: Range): Promise<Hash>;
  /** That an entry is part of the log (`verifyInclusion`). */
  proveInclusion(index: number): Promise<Hash[]>;
  /** That the log was of an earlier size before (`verifyConsistency`). */
  proveConsistency(earlierSize: number): Promise<Hash[]>;
  /** That an entry is part of a subtree (`verifySubtreeInclusion`). */
  proveSubtreeInclusion(subtree: Range, index: number): Promise<Hash[]>;
  /** That a subtree is part of the log (`verifySubtreeConsistency`). */
  proveSubtreeConsistency(subtree: Range): Promise<Hash[]>;
}

/**
 * Reads the log as it was at a size that was signed: for others, partial tiles may never have been written.
 * It keeps the tiles that it has read: make one for each task.
 */
export function createLogReader(source: LogSource, size: number): LogReader {
  const hashOf = createTreeHasher(source, size);
  const log = { start: 0, end: size };
  const prove = (subtree: Range) => Promise.all(proofRanges(subtree, size).map(hashOf));
  return {
    size,
    async entryAt(index) {
      checkWithin({ start: index, end: index + 1 }, log);
      const [entry] = (await readEntries(source, tileAt("entries", index, size))).slice(index % TILE_WIDTH);
      if (entry === undefined) throw new LogError("missing", `entry ${index} does not exist`);
      return entry;
    },
    async hashOf(subtree) {
      checkWithin(subtree, log);
      return hashOf(subtree);
    },
    async proveInclusion(index) {
      const entry = { start: index, end: index + 1 };
      checkWithin(entry, log);
      return prove(entry);
    },
    async proveConsistency(earlierSize) {
      // Every log is the beginning of itself and goes on from the empty one: there is nothing to prove.
      if (earlierSize === 0 || earlierSize === size) return [];
      const earlier = { start: 0, end: earlierSize };
      checkWithin(earlier, log);
      return prove(earlier);
    },
    async proveSubtreeInclusion(subtree, index) {
      const { start, end } = subtree;
      checkWithin(subtree, log);
      checkWithin({ start: index, end: index + 1 }, subtree);
      const inside = { start: index - start, end: index + 1 - start };
      const ranges = proofRanges(inside, end - start);
      return Promise.all(
        ranges.map((range) => hashOf({ start: start + range.start, end: start + range.end })),
      );
    },
    async proveSubtreeConsistency(subtree) {
      checkWithin(subtree, log);
      return prove(subtree);
    },
  };
}

function checkWithin(subtree: Range, tree: Range): void {
  const { start, end } = subtree;
  const isPart = isCount(start) && isCount(end) && tree.start <= start && start < end && end <= tree.end;
  if (isPart && isSubtree(subtree)) return;
  throw new LogError("missing", `[${start}, ${end}) is no subtree of [${tree.start}, ${tree.end})`);
}

/** 2^level entries from index · 2^level on. */
interface Node {
  level: number;
  index: number;
}

/** Answers hashes of subtrees; each tile is read once. */
function createTreeHasher(source: LogSource, size: number): (subtree: Range) => Promise<Hash> {
  const tiles = new Map<string, Promise<Hash[]>>();
  const readTile = (level: number, position: number) => {
    const tile = tileAt(level, position, size);
    const key = `${level}/${tile.index}`;
    const hashes = tiles.get(key) ?? readHashes(source, tile);
    tiles.set(key, hashes);
    return hashes;
  };
  const hashNodeAt = async ({ level, index }: Node) => {
    const width = 2 ** (level % TILE_HEIGHT);
    const hashes = await readTile(Math.floor(level / TILE_HEIGHT), index * width);
    const start = (index * width) % TILE_WIDTH;
    return { level, hash: hashTree(hashes.slice(start, start + width)) };
  };
  return async (subtree) => {
    const tree = createCompactRange();
    for (const { level, hash } of await Promise.all(splitIntoNodes(subtree).map(hashNodeAt))) {
      tree.append(hash, level);
    }
    return tree.root();
  };
}

/** The perfect trees that a subtree consists of, from left to right, which is from large to small. */
function splitIntoNodes({ start, end }: Range): Node[] {
  const nodes: Node[] = [];
  while (start < end) {
    let level = 0;
    while (start + 2 ** (level + 1) <= end) level += 1;
    nodes.push({ level, index: start / 2 ** level });
    start += 2 ** level;
  }
  return nodes;
}
