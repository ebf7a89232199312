/** Reads bits, the highest first; slow and plain, for tests alone. */
export function createBitReader(bytes: Uint8Array) {
  let at = 0;
  const bit = (): number => ((bytes[at >> 3] ?? 0) >> (7 - (at++ & 7))) & 1;
  const unsigned = (count: number): bigint => {
    let value = 0n;
    for (let nth = 0; nth < count; nth++) value = (value << 1n) | BigInt(bit());
    return value;
  };
  return {
    bit,
    unsigned,
    /** The positive end of the range is in. */
    signed(count: number): bigint {
      const value = unsigned(count);
      if (count === 64) return BigInt.asIntN(64, value);
      return value > 1n << BigInt(count - 1) ? value - (1n << BigInt(count)) : value;
    },
    varint(): bigint {
      let value = 0n;
      for (let shift = 0n; ; shift += 7n) {
        const byte = unsigned(8);
        value |= (byte & 0x7fn) << shift;
        if (byte < 0x80n) return value;
      }
    },
    /** How many ones there are before the zero, at most so many. */
    ones(most: number): number {
      let count = 0;
      while (count < most && bit() === 1) count += 1;
      return count;
    },
  };
}

export type BitReader = ReturnType<typeof createBitReader>;

/** Values of which each is told by what differs from the one before. */
export function createXorReader({ bit, unsigned }: BitReader, first: bigint) {
  let value = first;
  let leading = 0;
  let trailing = 0;
  return (): bigint => {
    if (bit() === 0) return value;
    if (bit() === 1) {
      leading = Number(unsigned(5));
      const significant = Number(unsigned(6));
      trailing = 64 - leading - (significant === 0 ? 64 : significant);
    }
    value ^= unsigned(64 - leading - trailing) << BigInt(trailing);
    return value;
  };
}
