import { createCipheriv, createDecipheriv, type CipherKey } from "node:crypto";

export const KEY_BYTES = 32;
export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;
const ALGORITHM = "aes-256-gcm";

/** A key with a nonce that it has never been used with, and what the tag vouches for beside the plaintext. */
export interface GcmUse {
  key: CipherKey;
  nonce: Uint8Array;
  additionalData: Uint8Array;
}

/** AES-256-GCM (NIST SP 800-38D) with a nonce of 96 bits: the ciphertext, and behind it a tag of 128 bits. */
export function sealGcm({ key, nonce, additionalData }: GcmUse, plaintext: Uint8Array): Buffer {
  requireNonce(nonce);
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(additionalData);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** The plaintext, or null when anything is not as it was sealed. */
export function openGcm({ key, nonce, additionalData }: GcmUse, sealed: Uint8Array): Buffer | null {
  requireNonce(nonce);
  if (sealed.length < TAG_BYTES) return null;
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  const ciphertextBytes = sealed.length - TAG_BYTES;
  decipher.setAAD(additionalData);
  decipher.setAuthTag(sealed.subarray(ciphertextBytes));
  const plaintext = decipher.update(sealed.subarray(0, ciphertextBytes));
  try {
    decipher.final();
  } catch {
    // The one thing that OpenSSL says here is that the tag does not match.
    return null;
  }
  return plaintext;
}

/** GCM hashes nonces of other lengths, which makes them collide sooner (SP 800-38D, section 8.2). */
function requireNonce(nonce: Uint8Array): void {
  if (nonce.length !== NONCE_BYTES) throw new RangeError(`A nonce has 96 bits, not ${nonce.length * 8}.`);
}
