import { createByteReader, type ByteReader, type ByteStream } from "./byte-reader.ts";
import {
  CHUNK_SALT_BYTES,
  deriveChunkKeys,
  openChunks,
  openPrefix,
  PREFIX_BYTES,
  sealChunks,
} from "./chunked.ts";
import type { ChunkKeys } from "./chunked.ts";
import { KEY_BYTES } from "./gcm.ts";
import {
  alteredError,
  contentData,
  HEADER_BYTES,
  unwrapDataKey,
  wrapDataKey,
  type Opening,
  type Sealing,
} from "./header.ts";
import { draw } from "./random.ts";
import { VaultError } from "./vault-error.ts";

/**
 * Seals a stream of any length in the memory of a few chunks. What it answers can be piped (`pipeline` of
 * node:stream) or wrapped (`Readable.from`, `ReadableStream.from`), and reads on no faster than it is read.
 */
export async function* sealStream(sealing: Sealing, source: ByteStream): AsyncGenerator<Buffer, void> {
  const header = { algorithm: "chunked", generation: sealing.keyring.generation } as const;
  const inputKey = draw(sealing.random, KEY_BYTES);
  const salt = draw(sealing.random, CHUNK_SALT_BYTES);
  const keys = deriveChunkKeys({ inputKey, salt, context: contentData(header, sealing.context) });
  const reader = createByteReader(source);
  try {
    yield Buffer.concat([wrapDataKey(sealing, header, inputKey), salt, keys.commitment]);
    yield* sealChunks(keys, reader);
  } finally {
    await reader.close();
  }
}

/**
 * Opens what sealStream made. Every piece it hands out is what was sealed at that place; that nothing is
 * missing is known only at the end, where a stream that was cut throws: whoever acts on it waits for the end.
 */
export async function* openStream(opening: Opening, source: ByteStream): AsyncGenerator<Buffer, void> {
  const reader = createByteReader(source);
  try {
    const keys = await readKeys(opening, reader);
    for await (const chunk of openChunks(keys, reader)) {
      if (chunk === null) throw alteredError(opening.context);
      if (chunk.length > 0) yield chunk;
    }
  } finally {
    await reader.close();
  }
}

async function readKeys(opening: Opening, reader: ByteReader): Promise<ChunkKeys> {
  const header = await reader.read(HEADER_BYTES);
  return chunkKeysOf(opening, header, await reader.read(PREFIX_BYTES));
}

/** The keys to the chunks behind a header and a prefix. */
export function chunkKeysOf(opening: Opening, sealedHeader: Uint8Array, prefix: Uint8Array): ChunkKeys {
  const { dataKey, ...header } = unwrapDataKey(opening, sealedHeader);
  if (header.algorithm !== "chunked") throw new VaultError("malformed", "Sealed in one piece: open it so.");
  const keys = openPrefix({ inputKey: dataKey, context: contentData(header, opening.context) }, prefix);
  if (keys === null) throw alteredError(opening.context);
  return keys;
}
