import type { Slice } from "./byte-index.ts";

const FIRST_IDS = 32;

/**
 * Numbers for texts, the same from request to request, so that series can be known again by the numbers of
 * their labels. Of limited size: when it is full it begins anew, under another generation.
 */
export class Symbols {
  readonly #limit: number;
  #ids = new Map<string, number>();
  generation = 0;

  constructor({ limit }: { limit: number }) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#ids.size;
  }

  /** To be called between requests. */
  makeRoom(): void {
    if (this.#ids.size < this.#limit) return;
    this.#ids.clear();
    this.generation += 1;
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
  #bytes = new Uint8Array(this.#ids.buffer);
  #length = 0;

  begin(generation: number): void {
    this.#length = 0;
    this.add(generation);
  }

  add(id: number): void {
    if (this.#length === this.#ids.length) {
      const larger = new Uint32Array(this.#ids.length * 2);
      larger.set(this.#ids);
      this.#ids = larger;
      this.#bytes = new Uint8Array(larger.buffer);
    }
    this.#ids[this.#length++] = id;
  }

  view(): Slice {
    return { bytes: this.#bytes, from: 0, to: this.#length * 4 };
  }

  viewInto(key: Slice): void {
    key.bytes = this.#bytes;
    key.to = this.#length * 4;
  }
}
