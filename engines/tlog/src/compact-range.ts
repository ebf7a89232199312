import { hashEmpty, hashNode, type Hash } from "./hash.ts";

/** A tree that grows at its right edge and keeps one hash for each bit of its size. */
export interface CompactRange {
  /** Adds the hash of the next entry, or of the next 2^level entries where the size is a multiple of that. */
  append(hash: Hash, level?: number): void;
  /** Merkle Tree Hash of everything added (RFC 6962 §2.1). */
  root(): Hash;
}

interface PerfectTree {
  level: number;
  hash: Hash;
}

/** An empty tree. */
export function createCompactRange(): CompactRange {
  const edge: PerfectTree[] = [];
  return {
    append(hash, level = 0) {
      const above = edge.at(-1);
      if (above !== undefined && above.level < level) {
        throw new Error(`a tree of 2^${level} entries cannot follow one of 2^${above.level}`);
      }
      const added: PerfectTree = { level, hash };
      while (edge.at(-1)?.level === added.level) {
        const left = edge.pop();
        if (left !== undefined) added.hash = hashNode(left.hash, added.hash);
        added.level += 1;
      }
      edge.push(added);
    },
    root() {
      const last = edge.at(-1);
      if (last === undefined) return hashEmpty();
      return edge.slice(0, -1).reduceRight((right, left) => hashNode(left.hash, right), last.hash);
    },
  };
}

/** Merkle Tree Hash over these hashes, each of them of one entry or of trees of one size. */
export function hashTree(hashes: Iterable<Hash>): Hash {
  const range = createCompactRange();
  for (const hash of hashes) range.append(hash);
  return range.root();
}
