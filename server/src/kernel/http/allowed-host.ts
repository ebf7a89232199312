import { isIP } from "node:net";
import { AppError } from "@mainstay/api";

export interface AllowedHosts {
  publicHost: string | null;
  allowedHosts: readonly string[];
}

/**
 * Refuses a request under a name that is not ours (421; RFC 9110, section 15.5.20). A page of somebody
 * else's whose name is made to lead here (DNS rebinding) sends its own name, and cannot send another one.
 * Addresses are let in, since nobody can make one lead elsewhere; so is this machine's own name for itself.
 */
export function demandAllowedHost(header: string | undefined, settings: AllowedHosts): void {
  const host = nameOf(header ?? "");
  if (host !== null && isAllowed(host, settings)) return;
  throw new AppError("HOST_REFUSED", { host: host ?? "without a name" });
}

function isAllowed(host: string, { publicHost, allowedHosts }: AllowedHosts): boolean {
  const isLocal = host === "localhost" || host.endsWith(".localhost");
  return isLocal || isIP(host) !== 0 || host === publicHost || allowedHosts.includes(host);
}

/** Without port and brackets, in lower case; null for what is no host. */
function nameOf(header: string): string | null {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::\d{1,5})?$/i.exec(header);
  const name = (match?.[1] ?? match?.[2])?.toLowerCase();
  return name === undefined || name === "" ? null : name.replace(/\.$/, "");
}
