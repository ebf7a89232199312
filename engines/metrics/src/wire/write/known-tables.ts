import { crc32 } from "node:zlib";
import { ByteIndex } from "./byte-index.ts";

/** A table of symbols that several requests began with, and what was found for them. */
export interface KnownTable {
  readonly bytes: Uint8Array;
  /** By reference; 0: not asked for as yet. */
  readonly ids: Uint32Array;
  /** Series by their packed references, which mean the same wherever the table does. */
  readonly keys: ByteIndex;
}

const SEEN_MAX = 4096;

/**
 * Senders mostly write the same series into the same request of each scrape, with a table of symbols that is
 * the same to the byte. One that comes for the second time is kept, the oldest are let go for it.
 */
export class KnownTables {
  readonly #limitBytes: number;
  #tables = new Map<number, KnownTable>();
  /** Checksums of tables that came once. */
  #seen = new Set<number>();

  constructor({ limitBytes }: { limitBytes: number }) {
    this.#limitBytes = limitBytes;
  }

  get sizeBytes(): number {
    let sum = 0;
    for (const table of this.#tables.values()) sum += sizeOf(table);
    return sum;
  }

  /** To be called between requests. */
  makeRoom(): void {
    if (this.#seen.size > SEEN_MAX) this.#seen.clear();
    let excessBytes = this.sizeBytes - this.#limitBytes;
    for (const [checksum, table] of this.#tables) {
      if (excessBytes <= 0) return;
      this.#tables.delete(checksum);
      excessBytes -= sizeOf(table);
    }
  }

  /** The table of these bytes; null when they were not there before. */
  find(bytes: Uint8Array, symbols: number): KnownTable | null {
    const checksum = crc32(bytes);
    const known = this.#tables.get(checksum);
    if (known !== undefined && Buffer.compare(known.bytes, bytes) === 0) return known;
    if (!this.#seen.delete(checksum)) {
      this.#seen.add(checksum);
      return null;
    }
    // A copy also of a Buffer, whose own slice would be a view of the request.
    const table = { bytes: new Uint8Array(bytes), ids: new Uint32Array(symbols), keys: new ByteIndex() };
    this.#tables.set(checksum, table);
    return table;
  }

  clear(): void {
    this.#tables.clear();
    this.#seen.clear();
  }
}

function sizeOf({ bytes, ids, keys }: KnownTable): number {
  return bytes.length + ids.byteLength + keys.sizeBytes;
}
