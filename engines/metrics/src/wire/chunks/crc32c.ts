/** Castagnoli's polynomial, its bits in reverse. (RFC 9260, Appendix A.) */
const POLYNOMIAL = 0x82f6_3b78;
const TABLES = 4;

/** Four bytes are taken at a time: table n is for bytes with n others behind them. */
const TABLE = createTable();

/** CRC-32C of bytes, or of what follows bytes whose sum is given. */
export function crc32c(bytes: Uint8Array, before = 0): number {
  let crc = ~before;
  let at = 0;
  for (const end = bytes.length - 3; at < end; at += 4) {
    crc ^=
      (bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24);
    crc =
      (TABLE[768 + (crc & 0xff)] ?? 0) ^
      (TABLE[512 + ((crc >>> 8) & 0xff)] ?? 0) ^
      (TABLE[256 + ((crc >>> 16) & 0xff)] ?? 0) ^
      (TABLE[crc >>> 24] ?? 0);
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ (TABLE[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0);
  return ~crc >>> 0;
}

function createTable(): Int32Array {
  const table = new Int32Array(TABLES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    table[byte] = crc;
  }
  for (let index = 256; index < table.length; index++) {
    const before = table[index - 256] ?? 0;
    table[index] = (before >>> 8) ^ (table[before & 0xff] ?? 0);
  }
  return table;
}
