import { hashNode, isHash, isSame, type Hash } from "./hash.ts";
import { half, isCount, isOdd, isPower } from "./powers-of-two.ts";

/** "The entry with this leaf hash is number `index` of the log of `size` entries with this root." */
export interface InclusionClaim {
  index: number;
  size: number;
  leafHash: Hash;
  root: Hash;
  proof: readonly Hash[];
}

/** "The log of `size1` entries is the beginning of the log of `size2` entries." */
export interface ConsistencyClaim {
  size1: number;
  size2: number;
  root1: Hash;
  root2: Hash;
  proof: readonly Hash[];
}

/** Whether the claim is proven, by the algorithm of RFC 9162 §2.1.3.2. */
export function verifyInclusion({ index, size, leafHash, root, proof }: InclusionClaim): boolean {
  if (!isCount(index) || !isCount(size) || index >= size) return false;
  if (![leafHash, root, ...proof].every(isHash)) return false;
  let [node, last, hash] = [index, size - 1, leafHash];
  for (const sibling of proof) {
    if (last === 0) return false;
    if (isOdd(node) || node === last) {
      hash = hashNode(sibling, hash);
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      hash = hashNode(hash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && isSame(hash, root);
}

/**
 * Whether the claim is proven, by the algorithm of RFC 9162 §2.1.4.2. The empty log proves nothing about a
 * longer one, and is refused.
 */
export function verifyConsistency({ size1, size2, root1, root2, proof }: ConsistencyClaim): boolean {
  if (!isCount(size1) || !isCount(size2) || size1 > size2) return false;
  if (![root1, root2, ...proof].every(isHash)) return false;
  if (size1 === size2) return proof.length === 0 && isSame(root1, root2);
  if (size1 === 0 || proof.length === 0) return false;
  const [first = root1, ...siblings] = isPower(size1) ? [root1, ...proof] : proof;
  let [node, last, older, newer] = [size1 - 1, size2 - 1, first, first];
  while (isOdd(node)) [node, last] = [half(node), half(last)];
  for (const sibling of siblings) {
    if (last === 0) return false;
    if (isOdd(node) || node === last) {
      [older, newer] = [hashNode(sibling, older), hashNode(sibling, newer)];
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      newer = hashNode(newer, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && isSame(older, root1) && isSame(newer, root2);
}
