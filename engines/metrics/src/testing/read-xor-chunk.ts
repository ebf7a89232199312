/** Reads a chunk bit by bit as its description has it, with the bits of the values; for tests alone. */
export function readXorChunk(bytes: Uint8Array): { timestampsMs: number[]; bits: bigint[] } {
  let at = 0;
  const bit = (): number => ((bytes[at >> 3] ?? 0) >> (7 - (at++ & 7))) & 1;
  const unsigned = (count: number): bigint => {
    let value = 0n;
    for (let nth = 0; nth < count; nth++) value = (value << 1n) | BigInt(bit());
    return value;
  };
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = unsigned(8);
      value |= (byte & 0x7fn) << shift;
      if (byte < 0x80n) return value;
    }
  };
  const signed = (count: number): bigint => {
    const value = unsigned(count);
    if (count === 64) return BigInt.asIntN(64, value);
    return value > 1n << BigInt(count - 1) ? value - (1n << BigInt(count)) : value;
  };
  const change = (): bigint => {
    for (const count of [0, 14, 17, 20]) if (bit() === 0) return count === 0 ? 0n : signed(count);
    return signed(64);
  };

  const count = Number(unsigned(16));
  const first = varint();
  let timeMs = first % 2n === 0n ? first / 2n : -(first + 1n) / 2n;
  let deltaMs = 0n;
  let value = unsigned(64);
  let leading = 0;
  let trailing = 0;
  const read = { timestampsMs: [Number(timeMs)], bits: [value] };
  for (let nth = 1; nth < count; nth++) {
    deltaMs = nth === 1 ? varint() : deltaMs + change();
    timeMs += deltaMs;
    if (bit() === 1) {
      if (bit() === 1) {
        leading = Number(unsigned(5));
        const significant = Number(unsigned(6));
        trailing = 64 - leading - (significant === 0 ? 64 : significant);
      }
      value ^= unsigned(64 - leading - trailing) << BigInt(trailing);
    }
    read.timestampsMs.push(Number(timeMs));
    read.bits.push(value);
  }
  return read;
}
