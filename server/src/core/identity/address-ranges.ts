import { BlockList, isIP } from "node:net";

/** Whether an address lies in one of the ranges. */
export type AddressRanges = (address: string) => boolean;

const PREFIX = /^\d{1,3}$/;

/** Why a text is no address and no range; null when it is one. */
export function explainRange(text: string): string | null {
  const [address = "", prefix, ...more] = text.split("/");
  const family = isIP(address);
  if (family === 0 || more.length > 0) return `${text} is no IPv4 or IPv6 address, with or without a /prefix`;
  if (prefix === undefined) return null;
  const longest = family === 4 ? 32 : 128;
  const isWhole = PREFIX.test(prefix) && Number(prefix) <= longest;
  return isWhole ? null : `${text}: the prefix of an IPv${family} range is a number from 0 to ${longest}`;
}

/**
 * Ranges such as 192.0.2.0/24 or 2001:db8::/32; none at all means every address. An IPv4 address
 * that comes in the form of IPv6 (::ffff:192.0.2.7, RFC 4291 §2.5.5.2) is held to the IPv4 ranges.
 */
export function readAddressRanges(texts: readonly string[]): AddressRanges | null {
  if (texts.length === 0) return null;
  const list = new BlockList();
  for (const text of texts) {
    const [address = "", prefix] = text.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  // A program mostly asks from one address.
  let lastAllowed: string | null = null;
  return (address) => {
    if (address === lastAllowed) return true;
    const family = isIP(address);
    const isAllowed = family !== 0 && list.check(address, family === 6 ? "ipv6" : "ipv4");
    if (isAllowed) lastAllowed = address;
    return isAllowed;
  };
}
