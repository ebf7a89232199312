import { AppError } from "@mainstay/api";
import type { Clock } from "../../../kernel/clock.ts";
import { gcra, type GcraRules } from "../domain/gcra.ts";
import { addressGroup } from "../domain/network.ts";

const MINUTE_MS = 60_000;
/** Beyond this many addresses the oldest are forgotten; each takes about a hundred bytes. */
const ADDRESSES_MAX = 20_000;

export interface AddressLimit {
  /** Throws RATE_LIMITED, or answers the headers that tell how much is left. */
  take(address: string): Record<string, string>;
  /** Notes that what was taken came to nothing. */
  failed(address: string): void;
  /** Failures from an address that are not forgotten. */
  failures(address: string): number;
}

/** How often one address may try to log in. In memory: a server that restarts begins with clean hands. */
export function createAddressLimit({ clock, perMinute }: { clock: Clock; perMinute: number }): AddressLimit {
  const rules: GcraRules = { burst: perMinute, emissionMs: MINUTE_MS / perMinute };
  const seen = new Map<string, { tatMs: number; failures: number }>();

  function note(group: string, entry: { tatMs: number; failures: number }): void {
    seen.delete(group);
    seen.set(group, entry);
    const [oldest] = seen.keys();
    if (seen.size > ADDRESSES_MAX && oldest !== undefined) seen.delete(oldest);
  }

  return {
    take(address) {
      const group = addressGroup(address);
      const entry = seen.get(group);
      const verdict = gcra(entry?.tatMs ?? null, clock.now().getTime(), rules);
      note(group, { tatMs: verdict.tatMs, failures: entry?.failures ?? 0 });
      const retryAfterSeconds = Math.ceil(verdict.retryAfterMs / 1000);
      if (!verdict.isAllowed) throw new AppError("RATE_LIMITED", { retryAfterSeconds });
      return limitHeaders({ perMinute, remaining: verdict.remaining, resetMs: verdict.resetMs });
    },
    failed(address) {
      const group = addressGroup(address);
      const entry = seen.get(group);
      if (entry) entry.failures += 1;
    },
    failures: (address) => seen.get(addressGroup(address))?.failures ?? 0,
  };
}

/** draft-ietf-httpapi-ratelimit-headers-10: the policy, and what is left of it. */
function limitHeaders(left: { perMinute: number; remaining: number; resetMs: number }): Record<string, string> {
  return {
    "ratelimit-policy": `"login";q=${left.perMinute};w=60`,
    ratelimit: `"login";r=${left.remaining};t=${Math.ceil(left.resetMs / 1000)}`,
  };
}
