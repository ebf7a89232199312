const FIRST_SLOTS = 1024;
const FIRST_ARENA_BYTES = 64 * 1024;

/** Some of some bytes. */
export interface Slice {
  bytes: Uint8Array;
  from: number;
  to: number;
}

/**
 * A hash table from bytes to numbers, for finding series by the bytes of their labels without decoding
 * them. Keys are copied into one arena; nothing is ever taken out but all at once.
 */
export class ByteIndex {
  #arena = new Uint8Array(FIRST_ARENA_BYTES);
  #arenaView = new DataView(this.#arena.buffer);
  #arenaLength = 0;
  /** Of the bytes asked for last: a request asks for all of its series in the same ones. */
  #asked: Uint8Array = this.#arena;
  #askedView: DataView = this.#arenaView;
  /** Four numbers a slot: hash, place in the arena, length, value + 1; 0 for an empty slot. */
  #slots = new Uint32Array(FIRST_SLOTS * 4);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get sizeBytes(): number {
    return this.#arena.length + this.#slots.byteLength;
  }

  /** The number of these bytes, or -1. */
  find(key: Slice): number {
    const view = this.#viewOf(key.bytes);
    const slot = this.#slotOf(hashBytes(view, key.from, key.to), view, key);
    return (this.#slots[slot + 3] ?? 0) - 1;
  }

  /** The bytes must not be in it. The value is a whole number from 0 to 2^32 - 2. */
  add(key: Slice, value: number): void {
    const { bytes, from, to } = key;
    if ((this.#size + 1) * 2 > this.#slots.length / 4) this.#growSlots();
    const length = to - from;
    this.#reserve(length);
    const place = this.#arenaLength;
    this.#arena.set(bytes.subarray(from, to), place);
    this.#arenaLength += length;
    const view = this.#viewOf(bytes);
    const hash = hashBytes(view, from, to);
    const slot = this.#slotOf(hash, view, key);
    this.#slots.set([hash, place, length, value + 1], slot);
    this.#size += 1;
  }

  clear(): void {
    this.#arena = new Uint8Array(FIRST_ARENA_BYTES);
    this.#arenaView = new DataView(this.#arena.buffer);
    this.#slots = new Uint32Array(FIRST_SLOTS * 4);
    this.#arenaLength = 0;
    this.#size = 0;
  }

  /** Where these bytes are, or would be. Linear probing; never more than half full. */
  #slotOf(hash: number, view: DataView, { from, to }: Slice): number {
    const slots = this.#slots;
    const mask = slots.length / 4 - 1;
    for (let index = hash & mask; ; index = (index + 1) & mask) {
      const slot = index * 4;
      if (slots[slot + 3] === 0) return slot;
      if (slots[slot] === hash && slots[slot + 2] === to - from && this.#isAt(slot, view, from)) return slot;
    }
  }

  #isAt(slot: number, view: DataView, from: number): boolean {
    const place = this.#slots[slot + 1] ?? 0;
    const length = this.#slots[slot + 2] ?? 0;
    const arena = this.#arenaView;
    let index = 0;
    for (; index + 4 <= length; index += 4) {
      if (arena.getUint32(place + index) !== view.getUint32(from + index)) return false;
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

  #growSlots(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(old.length * 2);
    const mask = this.#slots.length / 4 - 1;
    for (let slot = 0; slot < old.length; slot += 4) {
      if (old[slot + 3] === 0) continue;
      let index = (old[slot] ?? 0) & mask;
      while (this.#slots[index * 4 + 3] !== 0) index = (index + 1) & mask;
      this.#slots.set(old.subarray(slot, slot + 4), index * 4);
    }
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
  for (; index + 4 <= to; index += 4) hash = mix(hash, view.getInt32(index));
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
