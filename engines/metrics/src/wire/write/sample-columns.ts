const FIRST_SAMPLES = 16;

/** Columns that grow, and are used again for the next series. */
export class SampleColumns {
  length = 0;
  timestampsMs = new Float64Array(FIRST_SAMPLES);
  values = new Float64Array(FIRST_SAMPLES);
  startsMs = new Float64Array(FIRST_SAMPLES);
  /** The values' bits: two words each, the low one first. */
  valueWords = new Uint32Array(this.values.buffer);

  clear(): void {
    this.length = 0;
  }

  /** Makes room for one more, zeroed, and answers its index. */
  add(): number {
    if (this.length === this.values.length) this.#grow();
    const index = this.length++;
    this.timestampsMs[index] = 0;
    this.values[index] = 0;
    this.startsMs[index] = 0;
    return index;
  }

  #grow(): void {
    this.timestampsMs = grown(this.timestampsMs);
    this.startsMs = grown(this.startsMs);
    // Copied as words: a copy as numbers might change the bits of a NaN.
    const words = new Uint32Array(this.valueWords.length * 2);
    words.set(this.valueWords);
    this.valueWords = words;
    this.values = new Float64Array(words.buffer);
  }
}

function grown(column: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(column.length * 2);
  larger.set(column);
  return larger;
}
