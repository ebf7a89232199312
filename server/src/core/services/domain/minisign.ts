import { createHash, createPublicKey, verify, type KeyObject } from "node:crypto";

/**
 * Signatures of minisign (https://jedisct1.github.io/minisign/, "Signature format"): Ed25519 over a message,
 * or over its BLAKE2b-512; a second one covers the first and the trusted comment.
 */

interface PublicKey {
  /** Eight bytes, as hex. */
  id: string;
  key: KeyObject;
}

interface Signature {
  keyId: string;
  isPrehashed: boolean;
  bytes: Buffer;
  trustedComment: string;
  global: Buffer;
}

const LEGACY = "Ed";
const PREHASHED = "ED";
const ID_BYTES = 8;
const SIGNATURE_BYTES = 64;
const COMMENT = "trusted comment: ";

/** Why a signature does not stand for a message; `by` is the id of the key, as minisign prints it. */
export type Verdict = { isGood: true; by: string } | { isGood: false; reason: string };

/** Checks the text of a `.minisig` file against public keys, each the last line of a `.pub` file. */
export function verifySignature(
  text: string,
  messages: readonly string[],
  publicKeys: readonly string[],
): Verdict {
  const signature = parseSignature(text);
  if (!signature) return { isGood: false, reason: "it is not the text of a .minisig file" };
  const { keyId } = signature;
  const trusted = publicKeys.map(parsePublicKey).find((each) => each?.id === keyId);
  if (!trusted) return { isGood: false, reason: `no trusted key has the id ${shown(keyId)}` };
  if (!messages.some((message) => isSigned(Buffer.from(message), signature, trusted.key)))
    return { isGood: false, reason: "it was made for something else, or was altered" };
  const comment = Buffer.concat([signature.bytes, Buffer.from(signature.trustedComment)]);
  if (!verify(null, comment, trusted.key, signature.global))
    return { isGood: false, reason: "its trusted comment was altered" };
  return { isGood: true, by: shown(keyId) };
}

function isSigned(message: Buffer, { isPrehashed, bytes }: Signature, key: KeyObject): boolean {
  const signed = isPrehashed ? createHash("blake2b512").update(message).digest() : message;
  return verify(null, signed, key, bytes);
}

function parsePublicKey(text: string): PublicKey | null {
  const bytes = Buffer.from(text, "base64");
  if (bytes.length !== 42 || bytes.subarray(0, 2).toString() !== LEGACY) return null;
  const x = bytes.subarray(2 + ID_BYTES).toString("base64url");
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  return { id: bytes.subarray(2, 2 + ID_BYTES).toString("hex"), key };
}

function parseSignature(text: string): Signature | null {
  const [, body = "", comment = "", global = ""] = text.split(/\r?\n/);
  const bytes = Buffer.from(body, "base64");
  const algorithm = bytes.subarray(0, 2).toString();
  const isKnown = algorithm === LEGACY || algorithm === PREHASHED;
  const isWhole = bytes.length === 2 + ID_BYTES + SIGNATURE_BYTES && comment.startsWith(COMMENT);
  const globalBytes = Buffer.from(global, "base64");
  if (!isKnown || !isWhole || globalBytes.length !== SIGNATURE_BYTES) return null;
  return {
    keyId: bytes.subarray(2, 2 + ID_BYTES).toString("hex"),
    isPrehashed: algorithm === PREHASHED,
    bytes: bytes.subarray(2 + ID_BYTES),
    trustedComment: comment.slice(COMMENT.length),
    global: globalBytes,
  };
}

/** minisign prints the id as a little-endian number. */
function shown(keyId: string): string {
  return Buffer.from(Buffer.from(keyId, "hex").toReversed()).toString("hex").toUpperCase();
}
