import { hashEmpty, hashNode, type Hash } from "../hash.ts";
import { powerBelow } from "../powers-of-two.ts";

/** Merkle Tree Hash, word for word as RFC 6962 §2.1 defines it. */
export function hashByDefinition(leaves: readonly Hash[]): Hash {
  const [only] = leaves;
  if (only === undefined) return hashEmpty();
  if (leaves.length === 1) return only;
  const middle = powerBelow(leaves.length);
  return hashNode(hashByDefinition(leaves.slice(0, middle)), hashByDefinition(leaves.slice(middle)));
}
