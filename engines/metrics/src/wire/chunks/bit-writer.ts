const FIRST_BYTES = 256;
/** The words of the float beside them, the lower one first. */
const FLOAT = new Float64Array(1);
const WORDS = new Uint32Array(FLOAT.buffer);
const TWO_TO_32 = 4_294_967_296;

/** Writes bits, the highest first, into bytes that grow. */
export class BitWriter {
  #bytes = new Uint8Array(FIRST_BYTES);
  /** Of bits. */
  #length = 0;

  /** Everything so far, as a copy; the last byte is filled with zeroes. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, (this.#length + 7) >> 3);
  }

  /** The lowest bits of a number of 32 bits; at most 32 of them. */
  bits(value: number, count: number): void {
    this.#reserve(count);
    let left = count;
    while (left > 0) {
      const free = 8 - (this.#length & 7);
      const taken = Math.min(free, left);
      const part = (value >>> (left - taken)) & ((1 << taken) - 1);
      const at = this.#length >> 3;
      this.#bytes[at] = (this.#bytes[at] ?? 0) | (part << (free - taken));
      this.#length += taken;
      left -= taken;
    }
  }

  /** The lowest bits of a whole number as its complement to 2^64. */
  wideBits(value: number, count: number): void {
    if (count > 32) this.bits(Math.floor(value / TWO_TO_32), count - 32);
    this.bits((value % TWO_TO_32) | 0, Math.min(count, 32));
  }

  /** A prefix, written as its bits are read, and a number behind it. */
  prefixed(prefix: string, value: number, count: number): void {
    this.bits(Number.parseInt(prefix, 2), prefix.length);
    this.wideBits(value, count);
  }

  /** All 64 bits of a float. */
  float(value: number): void {
    FLOAT[0] = value;
    this.bits(WORDS[1] ?? 0, 32);
    this.bits(WORDS[0] ?? 0, 32);
  }

  /** LEB128, of what is not negative. */
  varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.bits((rest % 128) | 0x80, 8);
      rest = Math.floor(rest / 128);
    }
    this.bits(rest, 8);
  }

  /** 0, -1, 1, -2 … become 0, 1, 2, 3 …, then LEB128. */
  zigzag(value: number): void {
    this.varint(value >= 0 ? 2 * value : -2 * value - 1);
  }

  #reserve(count: number): void {
    const needed = ((this.#length + count) >> 3) + 1;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

/** Whether so many bits hold the number; of the two ends, the positive one is in. */
export function fitsBits(value: number, count: number): boolean {
  const half = 2 ** (count - 1);
  return value > -half && value <= half;
}
