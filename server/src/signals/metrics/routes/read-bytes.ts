import { joinBytes } from "../join-bytes.ts";

/** A body of at most so many bytes, in memory of its own; null when it is larger. */
export async function readBytes(
  content: AsyncIterable<Uint8Array>,
  limitBytes: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of content) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > limitBytes) return null;
    chunks.push(chunk);
  }
  return joinBytes(chunks, sizeBytes);
}
