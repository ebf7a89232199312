const SLAB_FLOATS = 32 * 1024;

/**
 * Arrays of zeros, carved out of larger ones: memory of its own for each costs a query over many series more
 * than what it decodes. What is carved is never taken back; a slab goes with the last of its arrays.
 */
export function createCarver(): (count: number) => Float64Array {
  let slab = new Float64Array(0);
  let used = 0;
  return (count) => {
    if (count > SLAB_FLOATS / 8) return new Float64Array(count);
    if (used + count > slab.length) {
      slab = new Float64Array(SLAB_FLOATS);
      used = 0;
    }
    used += count;
    return slab.subarray(used - count, used);
  };
}
