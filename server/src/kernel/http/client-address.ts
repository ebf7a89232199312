import type { IncomingHttpHeaders } from "node:http";

interface Asking {
  ip: string;
  headers: IncomingHttpHeaders;
}

const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;

/**
 * Who asks. What comes under the public host from this machine was handed on by the data plane, which names the
 * peer that it saw as the last of X-Forwarded-For and removes what others say there.
 */
export function addressOfClient({ ip, headers }: Asking, publicHost: string | null): string {
  if (publicHost === null || !LOOPBACK.test(ip) || !isPublicHost(headers["host"], publicHost)) return ip;
  const told = String(headers["x-forwarded-for"] ?? "")
    .split(",")
    .at(-1)
    ?.trim();
  return told === undefined || told === "" ? ip : told;
}

/** Whether a Host header names the public host, that is: the request came over HTTPS. */
export function isPublicHost(header: string | undefined, publicHost: string | null): boolean {
  return publicHost !== null && (header ?? "").toLowerCase().replace(/:\d+$/, "") === publicHost;
}
