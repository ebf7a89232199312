import { buffer } from "node:stream/consumers";
import type { ByteStream } from "../byte-reader.ts";

/** The bytes in pieces of these sizes, over and over. */
export async function* inPieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, index = 0; at < bytes.length; index += 1) {
    const size = sizes[index % sizes.length] ?? bytes.length;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

export function collect(source: ByteStream): Promise<Buffer> {
  return buffer(source);
}
