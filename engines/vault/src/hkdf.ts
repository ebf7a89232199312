import { createHmac, hkdfSync, type KeyObject } from "node:crypto";

export interface HkdfInput {
  secret: KeyObject | Uint8Array;
  salt: Uint8Array;
  info: Uint8Array;
}

const SHA512_BYTES = 64;
/** The counter of blocks is one byte. */
const MAX_BLOCKS = 255;

/** HKDF with SHA-256 (RFC 5869): as many bytes as wanted, bound to the salt and to what they are for. */
export function hkdfSha256({ secret, salt, info }: HkdfInput, sizeBytes: number): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, salt, info, sizeBytes));
}

/** HKDF-Expand alone with SHA-512 (RFC 5869, section 2.3), for a secret that is uniformly random. */
export function expandSha512({ secret, info }: Omit<HkdfInput, "salt">, sizeBytes: number): Buffer {
  const blocks = Math.ceil(sizeBytes / SHA512_BYTES);
  if (blocks > MAX_BLOCKS) throw new RangeError(`HKDF with SHA-512 cannot give ${sizeBytes} bytes.`);
  const output: Buffer[] = [];
  let previous = Buffer.alloc(0);
  for (let block = 1; block <= blocks; block += 1) {
    previous = createHmac("sha512", secret)
      .update(previous)
      .update(info)
      .update(Uint8Array.of(block))
      .digest();
    output.push(previous);
  }
  return Buffer.concat(output).subarray(0, sizeBytes);
}
