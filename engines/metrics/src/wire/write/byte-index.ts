const FIRST_SLOTS = 1024;
const FIRST_ARENA_BYTES = 64 * 1024;

/** Some of some bytes. */
export interface Slice {
  bytes: Uint8Array;
  from: number;
  to: number;
}

/** What is known of a key, as a row of numbers. */
const HASH = 0;
const PLACE = 1;
const LENGTH = 2;
const VALUE = 3;
/** The key that was asked for after this one last time. */
const FOLLOWER = 4;
const ROW = 5;

/**
 * A hash table from bytes to numbers, for finding series by the bytes of their labels without decoding
 * them. Keys are copied into one arena; nothing is ever taken out but all at once. Senders name their series
 * in the same order again and again: the key that came after the last one before is tried first, unhashed.
 */
export class ByteIndex {
  #arena = new Uint8Array(FIRST_ARENA_BYTES);
  #arenaView = new DataView(this.#arena.buffer);
  #arenaLength = 0;
  /** Of the bytes asked for last: a request asks for all of its series in the same ones. */
  #asked: Uint8Array = this.#arena;
  #askedView: DataView = this.#arenaView;
  /** A row for each key, in the order in which they came. */
  #rows = new Uint32Array((FIRST_SLOTS / 2) * ROW);
  /** Numbers of rows + 1 by hash; 0 for an empty slot. */
  #slots = new Uint32Array(FIRST_SLOTS);
  #size = 0;
  #last = 0;

  get size(): number {
    return this.#size;
  }

  get sizeBytes(): number {
    return this.#arena.length + this.#rows.byteLength + this.#slots.byteLength;
  }

  /** The number of these bytes, or -1. */
  find(key: Slice): number {
    const view = this.#viewOf(key.bytes);
    const expected = this.#rows[this.#last * ROW + FOLLOWER] ?? 0;
    if (expected < this.#size && this.#isAt(expected, view, key)) return this.#found(expected);
    const slot = this.#slotOf(hashBytes(view, key.from, key.to), view, key);
    const row = (this.#slots[slot] ?? 0) - 1;
    return row === -1 ? -1 : this.#found(row);
  }

  /** The bytes must not be in it. The value is a whole number from 0 to 2^32 - 1. */
  add(key: Slice, value: number): void {
    const { bytes, from, to } = key;
    if (this.#size * 2 >= this.#slots.length) this.#grow();
    const length = to - from;
    this.#reserve(length);
    const place = this.#arenaLength;
    this.#arena.set(bytes.subarray(from, to), place);
    this.#arenaLength += length;
    const view = this.#viewOf(bytes);
    const hash = hashBytes(view, from, to);
    const row = this.#size;
    this.#slots[this.#slotOf(hash, view, key)] = row + 1;
    this.#rows.set([hash, place, length, value, row + 1], row * ROW);
    this.#size += 1;
    this.#found(row);
  }

  clear(): void {
    this.#arena = new Uint8Array(FIRST_ARENA_BYTES);
    this.#arenaView = new DataView(this.#arena.buffer);
    this.#rows = new Uint32Array((FIRST_SLOTS / 2) * ROW);
    this.#slots = new Uint32Array(FIRST_SLOTS);
    this.#arenaLength = 0;
    this.#size = 0;
    this.#last = 0;
  }

  #found(row: number): number {
    this.#rows[this.#last * ROW + FOLLOWER] = row;
    this.#last = row;
    return this.#rows[row * ROW + VALUE] ?? 0;
  }

  /** Where the row of these bytes is told, or would be. Linear probing; never more than half full. */
  #slotOf(hash: number, view: DataView, key: Slice): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const row = (slots[slot] ?? 0) - 1;
      if (row === -1 || (this.#rows[row * ROW + HASH] === hash && this.#isAt(row, view, key))) return slot;
    }
  }

  #isAt(row: number, view: DataView, { from, to }: Slice): boolean {
    const place = this.#rows[row * ROW + PLACE] ?? 0;
    const length = this.#rows[row * ROW + LENGTH] ?? 0;
    if (length !== to - from) return false;
    const arena = this.#arenaView;
    let index = 0;
    for (; index + 4 <= length; index += 4) {
      if (arena.getInt32(place + index, true) !== view.getInt32(from + index, true)) return false;
    }
    for (; index < length; index++) {
      if (arena.getUint8(place + index) !== view.getUint8(from + index)) return false;
    }
    return true;
  }

  #viewOf(bytes: Uint8Array): DataView {
    if (bytes !== this.#asked) {
      this.#asked = bytes;
      this.#askedView = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    return this.#askedView;
  }

  #grow(): void {
    const rows = new Uint32Array(this.#rows.length * 2);
    rows.set(this.#rows);
    this.#rows = rows;
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let row = 0; row < this.#size; row++) {
      let slot = (rows[row * ROW + HASH] ?? 0) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = row + 1;
    }
    this.#slots = slots;
  }

  #reserve(bytes: number): void {
    const needed = this.#arenaLength + bytes;
    if (needed <= this.#arena.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#arena.length * 2));
    larger.set(this.#arena.subarray(0, this.#arenaLength));
    this.#arena = larger;
    this.#arenaView = new DataView(larger.buffer);
  }
}

/** In the manner of Murmur3: four bytes at a time, mixed at the end. */
function hashBytes(view: DataView, from: number, to: number): number {
  let hash = (to - from) | 0;
  let index = from;
  for (; index + 4 <= to; index += 4) hash = mix(hash, view.getInt32(index, true));
  let rest = 0;
  for (; index < to; index++) rest = (rest << 8) | view.getUint8(index);
  hash = mix(hash, rest);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  return hash >>> 0;
}

function mix(hash: number, word: number): number {
  let mixed = Math.imul(word, 0xcc9e2d51);
  mixed = Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
  const next = hash ^ mixed;
  return (Math.imul((next << 13) | (next >>> 19), 5) + 0xe6546b64) | 0;
}
