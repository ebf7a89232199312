import type { ProtoReader } from "../protobuf/proto-reader.ts";
import type { Slice } from "./byte-index.ts";

const FIRST_REFERENCES = 32;

/**
 * References to symbols, names and values in turn; used again for the next series. Those that come as one
 * packed field, as all senders write them, are taken apart only when somebody asks for them.
 */
export class References {
  #values = new Uint32Array(FIRST_REFERENCES);
  #length = 0;
  #packed: Slice = { bytes: new Uint8Array(0), from: 0, to: 0 };
  #reader: ProtoReader | null = null;

  clear(): void {
    this.#length = 0;
    this.#reader = null;
  }

  add(reference: number): void {
    this.#unpack();
    this.#push(reference);
  }

  /** The packed field that begins here. */
  read(reader: ProtoReader): void {
    this.#unpack();
    const outer = reader.enter();
    this.#packed.bytes = reader.bytes;
    this.#packed.from = reader.at;
    this.#packed.to = reader.end;
    this.#reader = reader;
    reader.at = reader.end;
    reader.end = outer;
    if (this.#length > 0) this.#unpack();
  }

  /** All of them as they were written, as long as nobody took them apart; else null. */
  packed(): Slice | null {
    return this.#reader === null ? null : this.#packed;
  }

  get length(): number {
    this.#unpack();
    return this.#length;
  }

  at(index: number): number {
    this.#unpack();
    return this.#values[index] ?? 0;
  }

  list(): number[] {
    this.#unpack();
    return [...this.#values.subarray(0, this.#length)];
  }

  #unpack(): void {
    const reader = this.#reader;
    if (reader === null) return;
    this.#reader = null;
    const { at, end } = reader;
    reader.at = this.#packed.from;
    reader.end = this.#packed.to;
    while (reader.at < reader.end) this.#push(reader.varint());
    reader.at = at;
    reader.end = end;
  }

  #push(reference: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Uint32Array(this.#length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = reference;
  }
}
