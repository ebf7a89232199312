import { LogError } from "./log-error.ts";

/** Two bytes, big endian, tell the length of an entry. */
const LENGTH_BYTES = 2;
export const MAX_ENTRY_BYTES = 0xffff;

/** Entries one after the other, each behind its length (https://c2sp.org/tlog-tiles, "Log entries"). */
export function encodeEntries(entries: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(entries.flatMap((entry) => [encodeLength(entry.length), entry]));
}

function encodeLength(length: number): Uint8Array {
  if (length > MAX_ENTRY_BYTES) {
    throw new LogError(
      "malformed",
      `an entry has ${length} bytes, at most ${MAX_ENTRY_BYTES} fit: shorten it`,
    );
  }
  const bytes = Buffer.alloc(LENGTH_BYTES);
  bytes.writeUInt16BE(length);
  return bytes;
}

/** The entries of a bundle; throws where it ends within one. */
export function decodeEntries(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const start = at + LENGTH_BYTES;
    const end = start > bytes.length ? Infinity : start + view.getUint16(at);
    if (end > bytes.length) {
      throw new LogError("malformed", `the bundle ends within its entry ${entries.length}, at byte ${at}`);
    }
    entries.push(bytes.subarray(start, end));
    at = end;
  }
  return entries;
}
