import { AppError } from "@mainstay/api";
import type { Clock } from "../../kernel/clock.ts";
import type { Authenticated } from "../../kernel/http/index.ts";
import type { AccessPage, KnownKey } from "./access-book.ts";
import { fingerprintOf, readApiKey } from "./domain/api-key.ts";

export interface KeyCheckDependencies {
  clock: Clock;
  /** Is told of every use. */
  noteUse(id: string, nowMs: number, address: string): void;
}

/** Who a key belongs to. Throws UNAUTHENTICATED that says what is wrong with it. */
export type KeyCheck = (page: AccessPage, text: string, address: string) => Authenticated;

/**
 * The check of a key, of what is in memory alone. It is looked up by its hash: who does not have the secret
 * cannot choose the hash, so how long the look-up takes tells nothing, and an unknown id and a wrong secret
 * are the same miss. What else is wrong with a key is told only to who has its secret. Its form is looked at
 * only when it is not found.
 */
export function createKeyCheck({ clock, noteUse }: KeyCheckDependencies): KeyCheck {
  return (page, text, address) => {
    const nowMs = clock.now().getTime();
    const known = page.known.get(fingerprintOf(text));
    if (known === undefined || nowMs >= known.replacedAtMs) throw refusal(whyUnknown(text));
    demandUsable(known, nowMs, address);
    noteUse(known.id, nowMs, address);
    return known.authenticated;
  };
}

function whyUnknown(text: string): string {
  const { kind } = readApiKey(text);
  if (kind === "foreign") return "this is no Mainstay key: those begin with mk_";
  if (kind === "mistyped") return "the key is mistyped or cut off: its checksum does not fit";
  return "the key is not known to this server";
}

function demandUsable({ expiresAtMs, isAllowedFrom }: KnownKey, nowMs: number, address: string): void {
  if (nowMs >= expiresAtMs) throw refusal(`the key has expired at ${new Date(expiresAtMs).toISOString()}`);
  if (isAllowedFrom !== null && !isAllowedFrom(address))
    throw refusal(`the key may not be used from ${address}`);
}

function refusal(message: string): AppError {
  return new AppError("UNAUTHENTICATED", {}, { errors: [{ path: "headers.authorization", message }] });
}
