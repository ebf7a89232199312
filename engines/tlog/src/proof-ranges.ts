import { powerBelow, powerFrom } from "./powers-of-two.ts";

/** The entries from `start` to before `end`; wherever a hash is asked for, the tree over them. */
export interface Range {
  start: number;
  end: number;
}

/**
 * Whether [start, end) is a subtree whose hash can be proven: `start` is a multiple
 * of its width, rounded up to a power of two (draft-ietf-plants-merkle-tree-certs
 * §4.1). Each prefix of a log and each single entry is one.
 */
export function isSubtree({ start, end }: Range): boolean {
  return start <= end && start % powerFrom(end - start) === 0;
}

/**
 * The trees whose hashes prove that a subtree is part of the tree of `size` entries, from the bottom up:
 * SUBTREE_PROOF (draft-ietf-plants-merkle-tree-certs §4.4.1). For a single entry that is PATH, for a prefix
 * PROOF of RFC 6962 §2.1.1 and §2.1.2.
 */
export function proofRanges(subtree: Range, size: number): Range[] {
  return descend(subtree, { start: 0, end: size }, true);
}

/** `isKnown`: whoever verifies has the hash of the subtree already. */
function descend(subtree: Range, tree: Range, isKnown: boolean): Range[] {
  if (subtree.start === tree.start && subtree.end === tree.end) return isKnown ? [] : [tree];
  const middle = tree.start + powerBelow(tree.end - tree.start);
  const left = { start: tree.start, end: middle };
  const right = { start: middle, end: tree.end };
  if (subtree.end <= middle) return [...descend(subtree, left, isKnown), right];
  if (subtree.start >= middle) return [...descend(subtree, right, isKnown), left];
  return [...descend({ start: middle, end: subtree.end }, right, false), left];
}
