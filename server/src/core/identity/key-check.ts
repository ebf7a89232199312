import { AppError } from "@mainstay/api";
import type { Clock } from "../../kernel/clock.ts";
import type { Authenticated } from "../../kernel/http/index.ts";
import type { Random } from "../../kernel/ids.ts";
import type { AccessPage, KnownKey } from "./access-book.ts";
import { hashApiKey, isSameHash, readApiKey } from "./domain/api-key.ts";

const HASH_BYTES = 32;

export interface KeyCheckDependencies {
  clock: Clock;
  random: Random;
  /** Is told of every use. */
  noteUse(id: string, nowMs: number, address: string): void;
}

/** Who a key belongs to. Throws UNAUTHENTICATED that says what is wrong with it. */
export type KeyCheck = (page: AccessPage, text: string, address: string) => Authenticated;

/**
 * The check of a key, of what is in memory alone. A key that is not known takes the same path as one with a wrong
 * secret, against the hash of nothing, so that neither text nor time tells them apart; what else is wrong with a
 * key is told only to who has its secret.
 */
export function createKeyCheck({ clock, random, noteUse }: KeyCheckDependencies): KeyCheck {
  const nobody = Buffer.from(random(HASH_BYTES));
  return (page, text, address) => {
    const read = readApiKey(text);
    if (read.kind === "foreign") throw refusal("this is no Mainstay key: those begin with mk_");
    if (read.kind === "mistyped") throw refusal("the key is mistyped or cut off: its checksum does not fit");
    const { key } = read;
    const nowMs = clock.now().getTime();
    const known = page.known.get(key.id);
    const hash = hashApiKey(key);
    const isPresent = isSameHash(hash, known?.hash ?? nobody);
    const isPrevious =
      isSameHash(hash, known?.previousHash ?? nobody) && nowMs < (known?.previousUntilMs ?? 0);
    if (known === undefined || !(isPresent || isPrevious))
      throw refusal("the key is not known to this server");
    demandUsable(known, nowMs, address);
    noteUse(key.id, nowMs, address);
    return known.authenticated;
  };
}

function demandUsable({ expiresAtMs, isAllowedFrom }: KnownKey, nowMs: number, address: string): void {
  if (nowMs >= expiresAtMs) throw refusal(`the key has expired at ${new Date(expiresAtMs).toISOString()}`);
  if (isAllowedFrom !== null && !isAllowedFrom(address))
    throw refusal(`the key may not be used from ${address}`);
}

function refusal(message: string): AppError {
  return new AppError("UNAUTHENTICATED", {}, { errors: [{ path: "headers.authorization", message }] });
}
