import { isIPv4, isIPv6 } from "node:net";

/**
 * What counts as one address where attempts are limited: an IPv4 address, or
 * the /64 of an IPv6 address, since whoever has one address there has 2^64.
 */
export function addressGroup(address: string): string {
  return prefixOf(address, { v4Bits: 32, v6Groups: 4 });
}

/** The network that an address belongs to, roughly: its /24, or its /48. */
export function networkOf(address: string): string {
  return prefixOf(address, { v4Bits: 24, v6Groups: 3 });
}

function prefixOf(address: string, { v4Bits, v6Groups }: { v4Bits: 24 | 32; v6Groups: number }): string {
  const plain = (address.split("%")[0] ?? "").toLowerCase();
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(plain)?.[1];
  const v4 = mapped ?? (isIPv4(plain) ? plain : null);
  if (v4 !== null) return v4Bits === 32 ? v4 : `${v4.split(".").slice(0, 3).join(".")}.0/24`;
  if (!isIPv6(plain)) return "unknown";
  return `${groupsOf(plain).slice(0, v6Groups).join(":")}::/${v6Groups * 16}`;
}

/** The eight groups of an IPv6 address, without leading zeros. */
function groupsOf(address: string): string[] {
  const [head = "", tail] = withoutDots(address).split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const between = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => "0");
  return [...before, ...between, ...after].map((group) => Number.parseInt(group, 16).toString(16));
}

/** "::192.0.2.33" → "::c000:221": RFC 4291 §2.2. */
function withoutDots(address: string): string {
  const at = address.lastIndexOf(":") + 1;
  const [a, b, c, d] = address.slice(at).split(".").map(Number);
  if (a === undefined || b === undefined || c === undefined || d === undefined) return address;
  return `${address.slice(0, at)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}
