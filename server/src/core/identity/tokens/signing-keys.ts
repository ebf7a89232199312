import { createSigningKey, SEED_BYTES, type PublicJwk, type SigningKey } from "@mainstay/token";
import type { Audit } from "../../audit/index.ts";
import type { Sealer } from "../../secrets/index.ts";
import type { Clock } from "../../../kernel/clock.ts";
import type { Database, Tx } from "../../../kernel/database/index.ts";
import type { Origin } from "../../../kernel/http/index.ts";
import type { Random } from "../../../kernel/ids.ts";
import { createTokenStore, type SigningKeyRow } from "./token-store.ts";

export interface SigningKeysDependencies {
  db: Database;
  clock: Clock;
  random: Random;
  sealer: Sealer;
  audit: Audit;
}

/** No token lives longer; after it a key that no longer signs is not needed any more. */
export const MAX_LIFETIME_MS = 15 * 60_000;
const DAY_MS = 24 * 60 * 60_000;
/** How long a key signs. */
const TERM_MS = 30 * DAY_MS;
/** How long before it signs a key is published, so that whoever keeps a copy of the list has it by then. */
const AHEAD_MS = DAY_MS;

const PLATFORM: Origin = {
  actor: { type: "system", id: "mainstay", name: "Mainstay" },
  requestId: null,
  address: null,
};

/** Where the secret half of a key is sealed. */
/** Where their secret halves lie, for rotations. */
export const SEALED_SIGNING_KEYS = { table: "identity.signing_keys", column: "sealed_seed", key: "kid" };

const placeOf = (kid: string) => [SEALED_SIGNING_KEYS.table, SEALED_SIGNING_KEYS.column, kid] as const;

/** The keys that sign tokens: made, published, replaced and forgotten in time. */
export function createSigningKeys({ db, clock, random, sealer, audit }: SigningKeysDependencies) {
  const store = createTokenStore(db);
  let rows: SigningKeyRow[] = [];
  let signer: { kid: string; key: SigningKey } | null = null;

  async function insert(tx: Tx, from: Date, origin: Origin): Promise<void> {
    const seed = random(SEED_BYTES);
    const { kid, x } = createSigningKey(seed).jwk;
    const until = new Date(from.getTime() + TERM_MS);
    const sealed = Buffer.from(sealer.seal(placeOf(kid), seed));
    const times = { signs_from: from, signs_until: until, created_at: clock.now() };
    await store.insert(tx, { kid, x, sealed_seed: sealed, ...times });
    await audit.record(tx, {
      ...origin,
      action: "identity.signing_key_created",
      resource: { type: "signing-key", id: kid },
      after: { signsFrom: from.toISOString(), signsUntil: until.toISOString() },
    });
  }

  /** Takes up what the database says, and sees to it that there is a key for the time to come. */
  async function refresh(): Promise<void> {
    const nowMs = clock.now().getTime();
    rows = await store.keys();
    const isDue = (known: SigningKeyRow[]) => (known.at(-1)?.signs_until.getTime() ?? 0) - AHEAD_MS <= nowMs;
    const isOver = (row: SigningKeyRow) => row.signs_until.getTime() + MAX_LIFETIME_MS <= nowMs;
    if (!isDue(rows) && !rows.some(isOver)) return;
    await db.transaction().execute(async (tx) => {
      await store.lock(tx);
      const known = await store.keys(tx);
      for (const row of known.filter(isOver)) await store.remove(tx, row.kid);
      const untilMs = known.at(-1)?.signs_until.getTime() ?? 0;
      if (isDue(known)) await insert(tx, new Date(Math.max(nowMs, untilMs)), PLATFORM);
      rows = await store.keys(tx);
    });
  }

  /** The key that signs now. */
  function current(): SigningKey {
    const now = clock.now();
    const row = rows.findLast((each) => each.signs_from <= now && now < each.signs_until);
    if (!row) throw new Error("there is no key to sign tokens with");
    if (signer?.kid !== row.kid) {
      signer = { kid: row.kid, key: createSigningKey(sealer.open(placeOf(row.kid), row.sealed_seed)) };
    }
    return signer.key;
  }

  /** What tokens are verified with: keys that are yet to sign and those whose last tokens still live. */
  function published(): PublicJwk[] {
    return rows.map(({ kid, x }) => ({ kty: "OKP", crv: "Ed25519", x, kid, alg: "EdDSA", use: "sig" }));
  }

  /**
   * Begins anew with a key made now. Tokens of the ones before live to their end, unless these are revoked:
   * then none of them is accepted any more.
   */
  async function rotate({ revoke }: { revoke: boolean }, origin: Origin): Promise<void> {
    await db.transaction().execute(async (tx) => {
      await store.lock(tx);
      const now = clock.now();
      for (const { kid, signs_until: until } of await store.keys(tx)) {
        if (revoke) await store.remove(tx, kid);
        else if (until > now) await store.endSigning(tx, kid, now);
      }
      await insert(tx, now, origin);
      await audit.record(tx, {
        ...origin,
        action: revoke ? "identity.signing_keys_revoked" : "identity.signing_keys_rotated",
        resource: { type: "signing-key", id: "all" },
      });
    });
    await refresh();
  }

  return { refresh, current, published, rotate };
}
export type SigningKeys = ReturnType<typeof createSigningKeys>;
