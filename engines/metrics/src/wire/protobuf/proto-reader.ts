import { WireError } from "../wire-error.ts";

/** Wire types. (Protocol Buffers, "Encoding".) */
export const VARINT = 0;
export const FIXED_64 = 1;
export const BYTES = 2;
const FIXED_32 = 5;

const TWO_TO_32 = 4_294_967_296;
const TWO_TO_64 = TWO_TO_32 ** 2;
/** A varint is read in two parts: four bytes of seven bits, and up to six more. */
const LOW_BITS = 28;
const LOW_UNIT = 2 ** LOW_BITS;
const MOST_HIGH = 128 ** 6;
const UTF8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads a message field by field, without a schema and without copies. `enter` narrows it to a message
 * within; whoever reads goes on until `at` is `end`, and puts the old `end` back.
 */
export class ProtoReader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #int = new Float64Array(1);
  at = 0;
  end: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.end = bytes.length;
  }

  /** Field number × 8 + wire type. */
  tag(): number {
    return this.varint();
  }

  /** Up to 2^53 exactly; more loses its lowest bits, as every number does. */
  varint(): number {
    const { bytes } = this;
    let at = this.at;
    let byte = bytes[at++] ?? 0;
    if (byte < 0x80) {
      this.#moveTo(at);
      return byte;
    }
    let value = byte & 0x7f;
    let factor = 128;
    for (let count = 1; count < 10; count++) {
      byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        this.#moveTo(at);
        return value;
      }
      factor *= 128;
    }
    throw new WireError(`at byte ${this.at}: a varint of more than ten bytes`);
  }

  /** int32 and int64: negative numbers are written as their complement to 2^64. */
  int(): number {
    this.intInto(this.#int, 0);
    return this.#int[0] ?? 0;
  }

  /** The same, put where it belongs: a number that is handed out may cost an object. */
  intInto(numbers: Float64Array, index: number): void {
    const { bytes } = this;
    let at = this.at;
    let low = 0;
    for (let shift = 0; shift < LOW_BITS; shift += 7) {
      const byte = bytes[at++] ?? 0;
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.#moveTo(at);
        numbers[index] = low;
        return;
      }
    }
    let high = 0;
    for (let factor = 1; factor < MOST_HIGH; factor *= 128) {
      const byte = bytes[at++] ?? 0;
      high += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        this.#moveTo(at);
        const isNegative = high >= TWO_TO_64 / LOW_UNIT / 2;
        numbers[index] = (isNegative ? high - TWO_TO_64 / LOW_UNIT : high) * LOW_UNIT + low;
        return;
      }
    }
    throw new WireError(`at byte ${this.at}: a varint of more than ten bytes`);
  }

  /** sint32 and sint64: zigzag. Exact up to 2^52. */
  zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  double(): number {
    const at = this.at;
    this.#moveTo(at + 8);
    return this.#view.getFloat64(at, true);
  }

  /** Copies a double with all its bits: a staleness marker is a NaN that must not change. */
  doubleInto(words: Uint32Array, index: number): void {
    const at = this.at;
    this.#moveTo(at + 8);
    words[index * 2] = this.#view.getUint32(at, true);
    words[index * 2 + 1] = this.#view.getUint32(at + 4, true);
  }

  fixed64(): number {
    const at = this.at;
    this.#moveTo(at + 8);
    return this.#view.getUint32(at + 4, true) * TWO_TO_32 + this.#view.getUint32(at, true);
  }

  sfixed64(): number {
    const at = this.at;
    this.#moveTo(at + 8);
    return this.#view.getInt32(at + 4, true) * TWO_TO_32 + this.#view.getUint32(at, true);
  }

  fixed32(): number {
    const at = this.at;
    this.#moveTo(at + 4);
    return this.#view.getUint32(at, true);
  }

  /** Narrows to the message, text or packed field that begins here, and answers the end to be put back. */
  enter(): number {
    const length = this.varint();
    const outer = this.end;
    const end = this.at + length;
    if (end > outer)
      throw new WireError(`at byte ${this.at}: ${length} bytes are announced, and fewer follow`);
    this.end = end;
    return outer;
  }

  text(): string {
    const outer = this.enter();
    const { at, end } = this;
    this.at = end;
    this.end = outer;
    return this.slice(at, end);
  }

  /** UTF-8 between two places. Throws WireError when it is none. */
  slice(from: number, to: number): string {
    // What is short and plain, as names are, is read faster by hand than by a decoder.
    if (to - from <= 24) {
      let text = "";
      let index = from;
      for (; index < to; index++) {
        const code = this.bytes[index] ?? 0;
        if (code >= 0x80) break;
        text += String.fromCharCode(code);
      }
      if (index === to) return text;
    }
    try {
      return UTF8.decode(this.bytes.subarray(from, to));
    } catch (error) {
      throw new WireError(`at byte ${from}: a text that is not UTF-8`, { cause: error });
    }
  }

  /** Passes over a field that nobody asked for. */
  skip(tag: number): void {
    const type = tag & 7;
    if (type === VARINT) this.varint();
    else if (type === FIXED_64) this.#moveTo(this.at + 8);
    else if (type === FIXED_32) this.#moveTo(this.at + 4);
    else if (type === BYTES) {
      const outer = this.enter();
      this.at = this.end;
      this.end = outer;
    } else throw new WireError(`at byte ${this.at}: unknown wire type ${type}`);
  }

  #moveTo(at: number): void {
    if (at > this.end) throw new WireError(`at byte ${this.at}: the message is cut off`);
    this.at = at;
  }
}

/** Reads a message whose fields `read` takes one by one; what it does not take, it passes over. */
export function readFields(reader: ProtoReader, read: (tag: number) => boolean): void {
  while (reader.at < reader.end) {
    const tag = reader.tag();
    if (!read(tag)) reader.skip(tag);
  }
}

/** The same for the message that begins here. */
export function readMessage(reader: ProtoReader, read: (tag: number) => boolean): void {
  const outer = reader.enter();
  readFields(reader, read);
  reader.end = outer;
}

/** A repeated number, packed or one by one. */
export function readRepeated(
  reader: ProtoReader,
  tag: number,
  { read, add }: { read: () => number; add: (value: number) => void },
): void {
  if ((tag & 7) !== BYTES) return add(read());
  const outer = reader.enter();
  while (reader.at < reader.end) add(read());
  reader.end = outer;
}

export function tagOf(field: number, type: number): number {
  return field * 8 + type;
}
