import { readFile } from "node:fs/promises";
import type { FieldError } from "@mainstay/api";

const SETTING = "/proc/sys/net/ipv4/ip_local_port_range";

/**
 * A finding when instances would get ports that the system hands to outgoing connections: one of those could
 * hold the port an instance is about to listen on. None where the system does not say (no Linux).
 */
export async function describeEphemeralClash(
  [first, last]: readonly [number, number],
  setting = SETTING,
): Promise<FieldError[]> {
  const text = await readFile(setting, "utf8").catch(() => "");
  const [from, to] = text.trim().split(/\s+/).map(Number);
  if (from === undefined || to === undefined || last < from || first > to) return [];
  const message = `expected ports outside ${from} to ${to}, which this system gives to outgoing connections (${setting})`;
  return [{ path: "agent.portRange", message }];
}
