const ENCODER = new TextEncoder();
const FIRST_BYTES = 256;
/** ASCII ends here, and so does what a varint holds in one byte. */
const ONE_BYTE = 0x80;

/**
 * Writes a message field by field. Messages within are written by the callback, and get their length
 * afterwards.
 */
export class ProtoWriter {
  #bytes = new Uint8Array(FIRST_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** What has been written so far: a view that the next write may alter. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** int32 and int64. */
  int(value: number): void {
    if (value >= 0) return this.varint(value);
    this.#reserve(10);
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest >= 0x80n) {
      this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#length++] = Number(rest);
  }

  zigzag(value: number): void {
    this.varint(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  double(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  fixed64(value: number): void {
    this.#reserve(8);
    this.#view.setBigUint64(this.#length, BigInt.asUintN(64, BigInt(value)), true);
    this.#length += 8;
  }

  /** The eight bytes of an element with all its bits, also those of a staleness marker. */
  doubleFrom(words: Uint32Array, index: number): void {
    this.#reserve(8);
    this.#view.setUint32(this.#length, words[index * 2] ?? 0, true);
    this.#view.setUint32(this.#length + 4, words[index * 2 + 1] ?? 0, true);
    this.#length += 8;
  }

  /** Bytes as they are, without their length. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  text(value: string): void {
    if (value.length < ONE_BYTE && this.#ascii(value)) return;
    const bytes = ENCODER.encode(value);
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /**
   * Names and values of labels hardly ever are anything else; false when this one is, and nothing is written.
   */
  #ascii(value: string): boolean {
    const { length } = value;
    this.#reserve(length + 1);
    const start = this.#length + 1;
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index);
      if (code >= ONE_BYTE) return false;
      this.#bytes[start + index] = code;
    }
    this.#bytes[start - 1] = length;
    this.#length = start + length;
    return true;
  }

  /** A message within, or a packed field. */
  within(write: () => void): void {
    const start = this.#length;
    // One byte for the length, which does for most; a longer one moves what was written.
    this.#reserve(1);
    this.#length += 1;
    write();
    const size = this.#length - start - 1;
    const extra = lengthOfVarint(size) - 1;
    if (extra > 0) {
      this.#reserve(extra);
      this.#bytes.copyWithin(start + 1 + extra, start + 1, this.#length);
    }
    this.#length = start;
    this.varint(size);
    this.#length = start + 1 + extra + size;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

function lengthOfVarint(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) length += 1;
  return length;
}
