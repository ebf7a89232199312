import { isIPv4, isIPv6 } from "node:net";

/**
 * What counts as one address where attempts are limited: an IPv4 address, or the /64 of an IPv6 address, since
 * whoever has one address there has 2^64.
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
  const withoutV4 = address.replace(/:(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) => {
    const group = (high: unknown, low: unknown) => (Number(high) * 256 + Number(low)).toString(16);
    return `:${group(a, b)}:${group(c, d)}`;
  });
  const [head = "", tail] = withoutV4.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const between = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => "0");
  return [...before, ...between, ...after].map((group) => Number.parseInt(group, 16).toString(16));
}
