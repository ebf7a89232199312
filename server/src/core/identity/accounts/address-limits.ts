import { AppError } from "@mainstay/api";
import type { Clock } from "../../../kernel/clock.ts";
import { gcra, type GcraRules } from "../domain/gcra.ts";
import { addressGroup } from "../domain/network.ts";

const MINUTE_MS = 60_000;
const FORGET_MS = 24 * 3_600_000;
/** Beyond this many addresses the oldest are forgotten; each takes about a hundred bytes. */
const ADDRESSES_MAX = 20_000;

interface Entry {
  tatMs: number;
  failures: number;
  failedAtMs: number;
}

export interface AddressLimit {
  /** Whether one more is allowed, and the headers that tell how much is left. */
  take(address: string): { refusal: AppError | null; headers: Record<string, string> };
  /** Notes that what was taken came to nothing. */
  failed(address: string): void;
  /** Failures from an address, as long as they are less than a day apart. */
  failures(address: string): number;
}

/** How often one address may try to log in. In memory: a server that restarts begins anew. */
export function createAddressLimit({ clock, perMinute }: { clock: Clock; perMinute: number }): AddressLimit {
  const rules: GcraRules = { burst: perMinute, emissionMs: MINUTE_MS / perMinute };
  const seen = new Map<string, Entry>();
  const nowMs = () => clock.now().getTime();

  function note(group: string, entry: Entry): void {
    seen.delete(group);
    seen.set(group, entry);
    const [oldest] = seen.keys();
    if (seen.size > ADDRESSES_MAX && oldest !== undefined) seen.delete(oldest);
  }

  function failures(address: string): number {
    const entry = seen.get(addressGroup(address));
    return entry && nowMs() - entry.failedAtMs < FORGET_MS ? entry.failures : 0;
  }

  return {
    failures,
    take(address) {
      const group = addressGroup(address);
      const entry = seen.get(group);
      const verdict = gcra(entry?.tatMs ?? null, nowMs(), rules);
      note(group, { failures: 0, failedAtMs: 0, ...entry, tatMs: verdict.tatMs });
      const headers = limitHeaders({ perMinute, remaining: verdict.remaining, resetMs: verdict.resetMs });
      const retryAfterSeconds = Math.ceil(verdict.retryAfterMs / 1000);
      const refusal = verdict.isAllowed ? null : new AppError("RATE_LIMITED", { retryAfterSeconds });
      return { refusal, headers };
    },
    failed(address) {
      const group = addressGroup(address);
      const entry = seen.get(group);
      if (entry) note(group, { ...entry, failures: failures(address) + 1, failedAtMs: nowMs() });
    },
  };
}

/** draft-ietf-httpapi-ratelimit-headers-10: the policy, and what is left of it. */
function limitHeaders(left: {
  perMinute: number;
  remaining: number;
  resetMs: number;
}): Record<string, string> {
  return {
    "ratelimit-policy": `"login";q=${left.perMinute};w=60`,
    ratelimit: `"login";r=${left.remaining};t=${Math.ceil(left.resetMs / 1000)}`,
  };
}
