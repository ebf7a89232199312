import { hashEmpty, hashNode, isHash, isSame, type Hash } from "./hash.ts";
import { half, isCount, isOdd } from "./powers-of-two.ts";
import { isSubtree, type Range } from "./proof-ranges.ts";
import { verifyInclusion } from "./verify-proof.ts";

/** "The entry with this leaf hash is number `index` of the log, within the subtree with this root." */
export interface SubtreeInclusionClaim {
  subtree: Range;
  index: number;
  leafHash: Hash;
  subtreeRoot: Hash;
  proof: readonly Hash[];
}

/** "The subtree with this root is part of the log of `size` entries with that root." */
export interface SubtreeConsistencyClaim {
  subtree: Range;
  size: number;
  subtreeRoot: Hash;
  root: Hash;
  proof: readonly Hash[];
}

/** Whether the claim is proven (draft-ietf-plants-merkle-tree-certs §4.3). */
export function verifySubtreeInclusion(claim: SubtreeInclusionClaim): boolean {
  const { subtree, index, leafHash, subtreeRoot, proof } = claim;
  if (!isCount(subtree.start) || !isCount(subtree.end) || !isSubtree(subtree)) return false;
  const size = subtree.end - subtree.start;
  return verifyInclusion({ index: index - subtree.start, size, leafHash, root: subtreeRoot, proof });
}

/** Whether the claim is proven, by the algorithm of draft-ietf-plants-merkle-tree-certs §4.4.3. */
export function verifySubtreeConsistency(claim: SubtreeConsistencyClaim): boolean {
  const { subtree, size, subtreeRoot, root, proof } = claim;
  if (![subtree.start, subtree.end, size].every(isCount)) return false;
  if (!isSubtree(subtree) || subtree.end > size) return false;
  const { start, end } = subtree;
  if (start === end) return proof.length === 0 && isSame(subtreeRoot, hashEmpty());
  if (end - start === size) return proof.length === 0 && isSame(subtreeRoot, root);
  if (![subtreeRoot, root, ...proof].every(isHash)) return false;
  const path = climb({ first: start, node: end - 1, last: size - 1 });
  const isPerfect = path.first === path.node;
  const [bottom, ...siblings] = isPerfect ? [subtreeRoot, ...proof] : proof;
  if (bottom === undefined) return false;
  const roots = foldUp(path, bottom, siblings);
  return roots !== null && isSame(roots.subtreeRoot, subtreeRoot) && isSame(roots.root, root);
}

/** Indices on one level of the tree: first and last node of the subtree, last node of the log. */
interface Level {
  first: number;
  node: number;
  last: number;
}

function up({ first, node, last }: Level): Level {
  return { first: half(first), node: half(node), last: half(last) };
}

/** To the level where the proof begins: that of the largest perfect tree at the right edge of the subtree. */
function climb(level: Level): Level {
  const isAtEdge = level.node === level.last;
  while (level.first !== level.node && (isAtEdge || isOdd(level.node))) level = up(level);
  return level;
}

function foldUp(
  level: Level,
  bottom: Hash,
  siblings: readonly Hash[],
): { subtreeRoot: Hash; root: Hash } | null {
  let [subtreeRoot, root] = [bottom, bottom];
  for (const sibling of siblings) {
    if (level.last === 0) return null;
    if (isOdd(level.node) || level.node === level.last) {
      if (level.first < level.node) subtreeRoot = hashNode(sibling, subtreeRoot);
      root = hashNode(sibling, root);
      while (!isOdd(level.node) && level.node !== 0) level = up(level);
    } else {
      root = hashNode(root, sibling);
    }
    level = up(level);
  }
  return level.last === 0 ? { subtreeRoot, root } : null;
}
