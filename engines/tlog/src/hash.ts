import { hash as digest } from "node:crypto";

/** 32 bytes of SHA-256. */
export type Hash = Uint8Array;

export const HASH_BYTES = 32;
/** RFC 6962 §2.1: leaves and nodes are hashed apart, so that neither can pass for the other. */
const LEAF_PREFIX = 0x00;
const NODE_PREFIX = 0x01;

/** The hash of the tree without entries. */
export function hashEmpty(): Hash {
  return digest("sha256", "", "buffer");
}

/** SHA-256(0x00 ‖ entry) */
export function hashLeaf(entry: Uint8Array): Hash {
  const message = Buffer.allocUnsafe(1 + entry.length);
  message[0] = LEAF_PREFIX;
  message.set(entry, 1);
  return digest("sha256", message, "buffer");
}

/** SHA-256(0x01 ‖ left ‖ right) */
export function hashNode(left: Hash, right: Hash): Hash {
  const message = Buffer.allocUnsafe(1 + 2 * HASH_BYTES);
  message[0] = NODE_PREFIX;
  message.set(left, 1);
  message.set(right, 1 + HASH_BYTES);
  return digest("sha256", message, "buffer");
}

export function isHash(bytes: Uint8Array): boolean {
  return bytes.length === HASH_BYTES;
}

/** Hashes of a public log are no secret: plain comparison. */
export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
