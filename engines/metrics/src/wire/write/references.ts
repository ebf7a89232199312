import type { ProtoReader } from "../protobuf/proto-reader.ts";

const FIRST_REFERENCES = 32;

/** References to symbols, names and values in turn; used again for the next series. */
export class References {
  #values = new Uint32Array(FIRST_REFERENCES);
  length = 0;

  clear(): void {
    this.length = 0;
  }

  add(reference: number): void {
    if (this.length === this.#values.length) {
      const larger = new Uint32Array(this.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length++] = reference;
  }

  at(index: number): number {
    return this.#values[index] ?? 0;
  }

  /** The packed field that begins here. */
  read(reader: ProtoReader): void {
    const outer = reader.enter();
    while (reader.at < reader.end) this.add(reader.varint());
    reader.end = outer;
  }

  list(): number[] {
    return [...this.#values.subarray(0, this.length)];
  }
}
