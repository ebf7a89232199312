import { createHmac, type KeyObject } from "node:crypto";

export type HkdfHash = "sha256" | "sha512";
const HASH_BYTES: Readonly<Record<HkdfHash, number>> = { sha256: 32, sha512: 64 };
/** The counter of blocks is one byte. */
const MAX_BLOCKS = 255;

export interface HkdfInput {
  hash: HkdfHash;
  secret: KeyObject | Uint8Array;
  salt: Uint8Array;
  info: Uint8Array;
}

/** HKDF: extract, then expand (RFC 5869). The secret need not be uniform; a salt should be, or be empty. */
export function hkdf({ hash, secret, salt, info }: HkdfInput, sizeBytes: number): Buffer {
  const keyed = createHmac(hash, salt.length > 0 ? salt : Buffer.alloc(HASH_BYTES[hash]));
  const extracted = keyed.update(secret instanceof Uint8Array ? secret : secret.export());
  return hkdfExpand({ hash, secret: extracted.digest(), info }, sizeBytes);
}

/** HKDF-Expand alone (RFC 5869, section 2.3), for a secret that is uniformly random. */
export function hkdfExpand({ hash, secret, info }: Omit<HkdfInput, "salt">, sizeBytes: number): Buffer {
  const blocks = Math.ceil(sizeBytes / HASH_BYTES[hash]);
  if (blocks > MAX_BLOCKS) throw new RangeError(`HKDF with ${hash} cannot give ${sizeBytes} bytes.`);
  const output: Buffer[] = [];
  let previous = Buffer.alloc(0);
  for (let block = 1; block <= blocks; block += 1) {
    previous = createHmac(hash, secret).update(previous).update(info).update(Uint8Array.of(block)).digest();
    output.push(previous);
  }
  return Buffer.concat(output).subarray(0, sizeBytes);
}
