import { ByteIndex, type Slice } from "./byte-index.ts";
import { KnownTables } from "./known-tables.ts";

const FIRST_IDS = 32;
const TABLES_BYTES = 16 * 2 ** 20;

/**
 * Numbers for texts, the same from request to request, so that series can be known again by the numbers of
 * their labels; and what is known of them. Of limited size: when it is full it begins anew.
 */
export class Symbols {
  readonly #limit: number;
  readonly #keyBytes: number;
  #ids = new Map<string, number>();
  /** Series by the numbers of their labels. */
  readonly keys = new ByteIndex();
  readonly tables = new KnownTables({ limitBytes: TABLES_BYTES });

  constructor({ limit, keyBytes = Infinity }: { limit: number; keyBytes?: number }) {
    this.#limit = limit;
    this.#keyBytes = keyBytes;
  }

  get size(): number {
    return this.#ids.size;
  }

  /** To be called between requests. */
  makeRoom(): void {
    this.tables.makeRoom();
    if (this.#ids.size < this.#limit && this.keys.sizeBytes <= this.#keyBytes) return;
    this.#ids.clear();
    this.forgetSeries();
  }

  /** What was remembered of series does not hold any more. */
  forgetSeries(): void {
    this.keys.clear();
    this.tables.clear();
  }

  idOf(text: string): number {
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    const id = this.#ids.size + 1;
    this.#ids.set(text, id);
    return id;
  }
}

/** The numbers of one series' labels, as bytes by which it is known again. */
export class SymbolKey {
  #ids = new Uint32Array(FIRST_IDS);
  readonly slice: Slice = { bytes: new Uint8Array(this.#ids.buffer), from: 0, to: 0 };

  clear(): void {
    this.slice.to = 0;
  }

  add(id: number): void {
    const { slice } = this;
    if (slice.to === slice.bytes.length) {
      const larger = new Uint32Array(this.#ids.length * 2);
      larger.set(this.#ids);
      this.#ids = larger;
      slice.bytes = new Uint8Array(larger.buffer);
    }
    this.#ids[slice.to / 4] = id;
    slice.to += 4;
  }
}
