import { CHUNK_BYTES, openChunk, PREFIX_BYTES, SEALED_CHUNK_BYTES, type ChunkKeys } from "./chunked.ts";
import { TAG_BYTES } from "./gcm.ts";
import { alteredError, HEADER_BYTES, type Opening } from "./header.ts";
import { chunkKeysOf } from "./stream.ts";

/** Something of known length that can be read anywhere, such as a file or an object in a bucket. */
export interface ByteSource {
  sizeBytes: number;
  /** Exactly these bytes. */
  read(offset: number, sizeBytes: number): Promise<Uint8Array>;
}

const CHUNKS_AT = HEADER_BYTES + PREFIX_BYTES;

/**
 * A sealed stream to read from anywhere: a ByteSource of its plaintext. The last chunk is
 * opened at once, so the length is vouched for; every read opens the chunks it touches.
 */
export async function openRandomAccess(opening: Opening, sealed: ByteSource): Promise<ByteSource> {
  const fullChunks = Math.floor((sealed.sizeBytes - CHUNKS_AT) / SEALED_CHUNK_BYTES);
  const lastBytes = sealed.sizeBytes - CHUNKS_AT - fullChunks * SEALED_CHUNK_BYTES - TAG_BYTES;
  if (fullChunks < 0 || lastBytes < 0) throw alteredError(opening.context);
  const start = await sealed.read(0, CHUNKS_AT);
  const keys = chunkKeysOf(opening, start, start.subarray(HEADER_BYTES));
  const view = { opening, sealed, keys };
  await readChunks(view, fullChunks, fullChunks);
  const sizeBytes = fullChunks * CHUNK_BYTES + lastBytes;
  return { sizeBytes, read: (offset, wantedBytes) => readPlain({ ...view, sizeBytes }, offset, wantedBytes) };
}

interface View {
  opening: Opening;
  sealed: ByteSource;
  keys: ChunkKeys;
}

async function readPlain(view: View & { sizeBytes: number }, offset: number, wantedBytes: number) {
  const end = offset + wantedBytes;
  const isInside = offset >= 0 && wantedBytes >= 0 && end <= view.sizeBytes;
  if (!isInside) throw new RangeError(`Bytes ${offset} to ${end} are not among ${view.sizeBytes}.`);
  if (wantedBytes === 0) return Buffer.alloc(0);
  const first = Math.floor(offset / CHUNK_BYTES);
  const chunks = await readChunks(view, first, Math.floor((end - 1) / CHUNK_BYTES));
  const from = offset - first * CHUNK_BYTES;
  return Buffer.concat(chunks).subarray(from, from + wantedBytes);
}

async function readChunks({ opening, sealed, keys }: View, first: number, last: number): Promise<Buffer[]> {
  const offset = CHUNKS_AT + first * SEALED_CHUNK_BYTES;
  const end = Math.min(sealed.sizeBytes, CHUNKS_AT + (last + 1) * SEALED_CHUNK_BYTES);
  const bytes = await sealed.read(offset, end - offset);
  if (bytes.length !== end - offset) throw alteredError(opening.context);
  const chunks: Buffer[] = [];
  for (let index = first; index <= last; index += 1) {
    const at = (index - first) * SEALED_CHUNK_BYTES;
    const chunk = openChunk(keys, index, bytes.subarray(at, at + SEALED_CHUNK_BYTES));
    if (chunk === null) throw alteredError(opening.context);
    chunks.push(chunk);
  }
  return chunks;
}
