import { createPublicKey, verify, type KeyObject } from "node:crypto";

const SIGNATURE_BYTES = 64;

/** The public key of 32 bytes in base64url. */
export function publicKeyOf(x: string): KeyObject {
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
}

/**
 * Whether a key signed a message; OpenSSL refuses an S that is not below the group's order (RFC 8032, 5.1.7).
 */
export function isSignatureOf(key: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  return signature.length === SIGNATURE_BYTES && verify(null, message, key, signature);
}
