const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BITS = 5;

/** Base 32 without padding: RFC 4648 §6. */
export function encodeBase32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const groups = bits.match(/.{1,5}/g) ?? [];
  return groups.map((group) => DIGITS[Number.parseInt(group.padEnd(BITS, "0"), 2)]).join("");
}
