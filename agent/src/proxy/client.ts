import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";

/** Whom a request comes from, and what the instance is told about it. */
export interface ClientFacts {
  /** As it is forwarded: the Host header, or the authority of an absolute target. */
  host: string;
  /** Of the peer: a client, or a proxy before this one. */
  address: string;
  protocol: "http" | "https";
  /** What a trusted proxy said; null when the peer is none, and then nothing of it is believed. */
  said: IncomingHttpHeaders | null;
}

export type Trust = (address: string) => boolean;

/** Believes the peers of these networks. Throws for what is no address and no network. */
export function createTrust(networks: readonly string[]): Trust {
  if (networks.length === 0) return () => false;
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits] = network.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (address) => isIP(address) > 0 && list.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

export function readClient(request: IncomingMessage, host: string, trust: Trust): ClientFacts {
  const { socket, headers } = request;
  const address = plainAddress(socket.remoteAddress);
  const said = trust(address) ? headers : null;
  const own = "encrypted" in socket && socket.encrypted === true ? "https" : "http";
  const told = said?.["x-forwarded-proto"];
  return { host, address, said, protocol: told === "https" || told === "http" ? told : own };
}

/** Adds Host, X-Forwarded-For, -Proto, -Host and Forwarded (RFC 7239), as names and values. */
export function addClient(list: string[], { host, address, protocol, said }: ClientFacts): void {
  list.push("host", host);
  const before = said && textOf(said["x-forwarded-for"]);
  list.push("x-forwarded-for", before === null ? address : `${before}, ${address}`);
  list.push("x-forwarded-proto", protocol);
  list.push("x-forwarded-host", (said && textOf(said["x-forwarded-host"])) ?? host);
  const own = `for=${nodeOf(address)};host=${valueOf(host)};proto=${protocol}`;
  list.push("forwarded", said === null ? own : forwardedBefore(said) + own);
}

/**
 * The elements of the proxies before; of those that only speak X-Forwarded-For, made from it (section 7.4).
 */
function forwardedBefore(said: IncomingHttpHeaders): string {
  const forwarded = textOf(said["forwarded"]);
  if (forwarded !== null) return `${forwarded}, `;
  const addresses = textOf(said["x-forwarded-for"])?.split(",") ?? [];
  return addresses.map((each) => `for=${nodeOf(each.trim())}, `).join("");
}

function textOf(value: string | string[] | undefined): string | null {
  return value === undefined ? null : String(value);
}

/** RFC 7239, section 6: an IPv6 address stands in brackets and quotes; what is no address is "unknown". */
function nodeOf(address: string): string {
  const version = isIP(address);
  if (version === 6) return `"[${address}]"`;
  return version === 4 ? address : "unknown";
}

/** A token as it is, anything else quoted (section 4). A host holds neither quotes nor backslashes. */
function valueOf(host: string): string {
  return /^[\w.~-]+$/.test(host) ? host : `"${host}"`;
}

/** An IPv4 peer of a socket that listens on IPv6 is told by its IPv4 address. */
function plainAddress(address = "unknown"): string {
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}
