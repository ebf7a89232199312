import { AppError, type FactorsResource } from "@mainstay/api";
import type { Tx } from "../../../kernel/database/index.ts";
import type { Origin } from "../../../kernel/http/index.ts";
import type { UserRow } from "../accounts/people-store.ts";
import type { FactorAnswer, FactorMethod, PasskeyAnswer, SecondFactors } from "../accounts/login.ts";
import type { AccountsRoom } from "../accounts/room.ts";
import { encodeBase32 } from "../domain/base32.ts";
import { hashRecoveryCode, looksLikeRecoveryCode, makeRecoveryCodes } from "../domain/recovery-codes.ts";
import { otpauthUri, TOTP_SECRET_BYTES, verifyTotp } from "../domain/totp.ts";
import { createFactorStore } from "./factor-store.ts";
import type { Passkeys } from "./passkeys.ts";

/** Where a sealed value belongs; it opens nowhere else. */
export type SealedPlace = readonly [table: string, column: string, row: string];

/** Keeps what must be read again, but not by whoever reads the database. */
export interface Sealer {
  seal(place: SealedPlace, plaintext: Uint8Array): Uint8Array;
  open(place: SealedPlace, sealed: Uint8Array): Uint8Array;
}

export interface FactorsParts {
  room: AccountsRoom;
  sealer: Sealer;
  passkeys: Passkeys;
}

const ISSUER = "Mainstay";
const placeOf = (userId: string): SealedPlace => ["identity.totp", "sealed_secret", userId];

export type Factors = ReturnType<typeof createFactors>;

/** Second factors: an authenticator app, recovery codes, passkeys. */
export function createFactors({ room, sealer, passkeys }: FactorsParts) {
  const { db, clock, random, audit } = room;
  const store = createFactorStore(db);

  async function isTotpOn(userId: string): Promise<boolean> {
    return Boolean((await store.totp(userId))?.confirmed_at);
  }

  /** A right code of the app, used up in the same transaction; what nobody has confirmed counts only if asked for. */
  async function useTotp(tx: Tx, userId: string, code: string, counts: "confirmed" | "begun"): Promise<boolean> {
    const row = await store.lockTotp(tx, userId);
    if (!row || (counts === "confirmed") !== (row.confirmed_at !== null)) return false;
    const secret = sealer.open(placeOf(userId), row.sealed_secret);
    const lastStep = row.last_step === null ? null : Number(row.last_step);
    const step = verifyTotp(secret, { code, nowMs: clock.now().getTime(), lastStep });
    if (step === null) return false;
    await store.noteTotp(tx, userId, { step, confirmedAt: row.confirmed_at ?? clock.now() });
    return true;
  }

  async function methodsOf(userId: string): Promise<FactorMethod[]> {
    const [hasTotp, passkeyCount] = [await isTotpOn(userId), await passkeys.count(userId)];
    if (!hasTotp && passkeyCount === 0) return [];
    const hasCodes = (await store.unusedCodes(userId)) > 0;
    return [
      ...(hasTotp ? ["totp" as const] : []),
      ...(passkeyCount > 0 ? ["passkey" as const] : []),
      ...(hasCodes ? ["recovery" as const] : []),
    ];
  }

  async function confirmCode(userId: string, code: string): Promise<FactorMethod | null> {
    return db.transaction().execute(async (tx) => {
      if (!looksLikeRecoveryCode(code)) return (await useTotp(tx, userId, code, "confirmed")) ? "totp" : null;
      const use = { userId, hash: hashRecoveryCode(code), at: clock.now() };
      return (await store.useCode(tx, use)) ? "recovery" : null;
    });
  }

  async function confirm(userId: string, { code, passkey }: FactorAnswer): Promise<FactorMethod | null> {
    if (passkey) return (await passkeys.confirm(userId, passkey)) ? "passkey" : null;
    return code === undefined ? null : confirmCode(userId, code);
  }

  /** New codes for who has none left to use: the first factor brings them. */
  async function freshCodes(tx: Tx, userId: string): Promise<string[]> {
    const codes = makeRecoveryCodes(random);
    await store.replaceCodes(tx, userId, codes.map(hashRecoveryCode));
    return codes;
  }

  const record = (tx: Tx, userId: string, action: string, origin: Origin) =>
    audit.record(tx, { ...origin, action, resource: { type: "user", id: userId } });

  const factors: SecondFactors = { methodsOf, confirm };
  return {
    ...factors,

    async show(userId: string): Promise<FactorsResource> {
      const keys = await passkeys.list(userId);
      return {
        totp: await isTotpOn(userId),
        recoveryCodesLeft: await store.unusedCodes(userId),
        passkeys: keys,
      };
    },

    /** A new secret, to be confirmed by a first code before it counts. */
    async beginTotp({ id, email }: Pick<UserRow, "id" | "email">) {
      const secret = random(TOTP_SECRET_BYTES);
      const sealed = Buffer.from(sealer.seal(placeOf(id), secret));
      if (!(await store.beginTotp({ userId: id, sealed, at: clock.now() })))
        throw new AppError("FACTOR_STATE", { reason: "an authenticator app is enrolled already; remove it first" });
      return { secret: encodeBase32(secret), uri: otpauthUri(secret, { issuer: ISSUER, account: email }) };
    },

    /** Answers the recovery codes, which are shown this once. */
    async confirmTotp(userId: string, code: string, origin: Origin): Promise<string[]> {
      return db.transaction().execute(async (tx) => {
        if (!(await useTotp(tx, userId, code, "begun")))
          throw new AppError("FACTOR_STATE", { reason: "the code is not right, or no enrolment was begun" });
        const codes = await freshCodes(tx, userId);
        await record(tx, userId, "identity.totp_enrolled", origin);
        return codes;
      });
    },

    async removeTotp(userId: string, origin: Origin): Promise<void> {
      await db.transaction().execute(async (tx) => {
        if (!(await store.removeTotp(tx, userId)))
          throw new AppError("FACTOR_STATE", { reason: "no authenticator app is enrolled" });
        if ((await passkeys.count(userId)) === 0) await store.replaceCodes(tx, userId, []);
        await record(tx, userId, "identity.totp_removed", origin);
      });
    },

    async renewCodes(userId: string, origin: Origin): Promise<string[]> {
      if ((await methodsOf(userId)).length === 0)
        throw new AppError("FACTOR_STATE", { reason: "recovery codes go with a second factor; enrol one first" });
      return db.transaction().execute(async (tx) => {
        const codes = await freshCodes(tx, userId);
        await record(tx, userId, "identity.recovery_codes_made", origin);
        return codes;
      });
    },

    /** Answers recovery codes when this is the first factor, and none otherwise. */
    async addPasskey(given: PasskeyAnswer & { userId: string; name: string }, origin: Origin): Promise<string[]> {
      const isFirst = (await methodsOf(given.userId)).length === 0;
      let codes: string[] = [];
      await passkeys.register(given, origin, async (tx) => {
        if (isFirst) codes = await freshCodes(tx, given.userId);
      });
      return codes;
    },

    /** The last factor takes the recovery codes with it. */
    async removePasskey(which: { userId: string; id: string }, origin: Origin): Promise<void> {
      await passkeys.remove(which, origin);
      if ((await methodsOf(which.userId)).length > 0) return;
      await db.transaction().execute((tx) => store.replaceCodes(tx, which.userId, []));
    },

    async forget(tx: Tx, userId: string): Promise<void> {
      await store.removeTotp(tx, userId);
      await store.replaceCodes(tx, userId, []);
      await passkeys.forget(tx, userId);
    },
  };
}
