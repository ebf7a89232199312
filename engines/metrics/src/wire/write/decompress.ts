import { uncompressSync } from "snappy";
import { WireError } from "../wire-error.ts";

/** The length that a snappy block announces is checked before anything is allocated for it. */
export function decompressSnappy(bytes: Uint8Array, { limitBytes }: { limitBytes: number }): Uint8Array {
  const length = announcedLength(bytes);
  if (length > limitBytes) {
    throw new WireError(
      `the request holds ${length} bytes when decompressed, and the limit is ${limitBytes}`,
    );
  }
  try {
    // Else the output is memory outside the heap, of which the collector hears too late.
    const output = uncompressSync(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), {
      ...{ asBuffer: true, copyOutputData: true },
    });
    if (typeof output === "string") throw new WireError("the decompressor answered text");
    return new Uint8Array(output.buffer, output.byteOffset, output.byteLength);
  } catch (error) {
    if (error instanceof WireError) throw error;
    throw new WireError("the body is no snappy block", { cause: error });
  }
}

/** The varint in front. (Snappy, "Format description", 1.) */
function announcedLength(bytes: Uint8Array): number {
  let value = 0;
  for (let index = 0; index < 5; index++) {
    const byte = bytes[index];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 128 ** index;
    if (byte < 0x80) return value;
  }
  throw new WireError("the body is no snappy block: its length is missing");
}
