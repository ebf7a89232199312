import { compressSync } from "snappy";

/** A snappy block, as remote-write wants it. */
export function compressSnappy(bytes: Uint8Array): Uint8Array {
  // Else the output is memory outside the heap, of which the collector hears too late.
  return compressSync(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), { copyOutputData: true });
}
