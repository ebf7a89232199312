import { timingSafeEqual } from "node:crypto";
import type { ByteReader } from "./byte-reader.ts";
import { KEY_BYTES, NONCE_BYTES, openGcm, sealGcm, TAG_BYTES } from "./gcm.ts";
import { expandSha512 } from "./hkdf.ts";

/**
 * c2sp.org/chunked-encryption as Cobblestone-256 (SHA-512, AES-256-GCM):
 * salt, commitment to the key, then chunks of which only the last is shorter,
 * perhaps empty. Its being shorter is what says that it is the last.
 */
export interface ChunkKeys {
  key: Buffer;
  baseNonce: Buffer;
  commitment: Buffer;
}

export const CHUNK_BYTES = 16 * 1024;
export const SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES;
export const CHUNK_SALT_BYTES = 24;
const COMMITMENT_BYTES = 32;
export const PREFIX_BYTES = CHUNK_SALT_BYTES + COMMITMENT_BYTES;
const MAX_CHUNKS = 2 ** 38;
const INFO = Buffer.from("c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0");
const NOTHING = Buffer.alloc(0);

export interface ChunkInput {
  inputKey: Uint8Array;
  salt: Uint8Array;
  context: Uint8Array;
}

/** The keys of one message; a salt may not be used twice with an input key. */
export function deriveChunkKeys({ inputKey, salt, context }: ChunkInput): ChunkKeys {
  const info = Buffer.concat([INFO, salt, context]);
  const sizeBytes = KEY_BYTES + NONCE_BYTES + COMMITMENT_BYTES;
  const bytes = expandSha512({ secret: inputKey, info }, sizeBytes);
  return {
    key: bytes.subarray(0, KEY_BYTES),
    baseNonce: bytes.subarray(KEY_BYTES, KEY_BYTES + NONCE_BYTES),
    commitment: bytes.subarray(KEY_BYTES + NONCE_BYTES),
  };
}

/** The keys of the message that starts with this prefix; null when it was made with others. */
export function openPrefix(input: Omit<ChunkInput, "salt">, prefix: Uint8Array): ChunkKeys | null {
  if (prefix.length !== PREFIX_BYTES) return null;
  const keys = deriveChunkKeys({ ...input, salt: prefix.subarray(0, CHUNK_SALT_BYTES) });
  return timingSafeEqual(keys.commitment, prefix.subarray(CHUNK_SALT_BYTES)) ? keys : null;
}

/** Seals all that is left to read, chunk by chunk. */
export async function* sealChunks(keys: ChunkKeys, reader: ByteReader): AsyncGenerator<Buffer, void> {
  for (let index = 0; ; index += 1) {
    const chunk = await reader.read(CHUNK_BYTES);
    yield sealGcm(chunkUse(keys, index), chunk);
    if (chunk.length < CHUNK_BYTES) return;
  }
}

/** Opens all that is left to read; null in the place of a chunk that is not what was sealed there. */
export async function* openChunks(keys: ChunkKeys, reader: ByteReader): AsyncGenerator<Buffer | null, void> {
  for (let index = 0; ; index += 1) {
    const sealed = await reader.read(SEALED_CHUNK_BYTES);
    yield openChunk(keys, index, sealed);
    if (sealed.length < SEALED_CHUNK_BYTES) return;
  }
}

/** One chunk, or null when it is not what was sealed as the one with this index. */
export function openChunk(keys: ChunkKeys, index: number, sealed: Uint8Array): Buffer | null {
  return openGcm(chunkUse(keys, index), sealed);
}

/** The nonce: base nonce XOR index, as a big-endian number of the nonce's width. */
function chunkUse({ key, baseNonce }: ChunkKeys, index: number) {
  if (index >= MAX_CHUNKS) throw new RangeError("A chunked message has at most 2^38 chunks.");
  const counter = Buffer.alloc(NONCE_BYTES);
  counter.writeUIntBE(index, NONCE_BYTES - 6, 6);
  const nonce = baseNonce.map((byte, at) => byte ^ (counter[at] ?? 0));
  return { key, nonce, additionalData: NOTHING };
}
