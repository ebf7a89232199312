import { AppError, type PasskeyResource } from "@mainstay/api";
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from "@simplewebauthn/server";
import { z } from "zod";
import type { Tx } from "../../../kernel/database/index.ts";
import type { Origin } from "../../../kernel/http/index.ts";
import type { PasskeyAnswer } from "../accounts/login.ts";
import type { Ceremonies } from "../accounts/ceremonies.ts";
import type { UserRow } from "../accounts/people-store.ts";
import type { AccountsRoom } from "../accounts/room.ts";
import { createPasskeyStore } from "./passkey-store.ts";

export interface PasskeysParts {
  room: Pick<AccountsRoom, "db" | "clock" | "audit" | "log">;
  ceremonies: Ceremonies;
  /** Where browsers find this server; passkeys are bound to its host. */
  publicUrl: string;
}

const PER_USER_MAX = 20;
const kept = z.object({ challenge: z.string() });
const text = z.string().max(100_000);
const registrationForm = z.looseObject({
  id: text,
  rawId: text,
  type: z.literal("public-key"),
  clientExtensionResults: z.looseObject({}).default({}),
  response: z.looseObject({ clientDataJSON: text, attestationObject: text, transports: z.array(z.string().max(32)).max(10).optional() }),
});
const loginForm = z.looseObject({
  id: text,
  rawId: text,
  type: z.literal("public-key"),
  clientExtensionResults: z.looseObject({}).default({}),
  response: z.looseObject({ clientDataJSON: text, authenticatorData: text, signature: text, userHandle: text.optional() }),
});

export type Passkeys = ReturnType<typeof createPasskeys>;

/**
 * Passkeys (WebAuthn level 3), discoverable and with the user verified, so that one is as good as a password and a
 * second factor. The library is loaded by whoever uses the first one.
 */
export function createPasskeys({ room, ceremonies, publicUrl }: PasskeysParts) {
  const { db, clock, audit, log } = room;
  const store = createPasskeyStore(db);
  const rpID = new URL(publicUrl).hostname;
  const library = () => import("@simplewebauthn/server");

  /** Whose passkey signed the challenge; null when none of ours did, or not rightly. */
  async function verify({ challenge, response }: PasskeyAnswer): Promise<string | null> {
    const { data } = await ceremonies.take("passkey-login", challenge);
    const answer = loginForm.safeParse(response);
    const row = answer.success ? await store.passkey(answer.data.id) : undefined;
    if (!answer.success || !row) return null;
    const { userHandle } = answer.data.response;
    if (userHandle !== undefined && userHandle !== handleOf(row.user_id).toString("base64url")) return null;
    const { verifyAuthenticationResponse } = await library();
    const checked = await verifyAuthenticationResponse({
      response: answer.data as AuthenticationResponseJSON,
      expectedChallenge: kept.parse(data).challenge,
      expectedOrigin: publicUrl,
      expectedRPID: rpID,
      requireUserVerification: true,
      credential: { id: row.id, publicKey: new Uint8Array(row.public_key), counter: Number(row.counter) },
    }).catch((error: unknown) => {
      log.info({ error }, "a passkey was refused");
      return { verified: false as const, authenticationInfo: null };
    });
    if (!checked.verified || !checked.authenticationInfo) return null;
    const use = { from: row.counter, to: checked.authenticationInfo.newCounter, at: clock.now() };
    return (await store.noteUse(row.id, use)) ? row.user_id : null;
  }

  return {
    verify,
    count: async (userId: string): Promise<number> => (await store.ofUser(userId)).length,
    list: async (userId: string): Promise<PasskeyResource[]> =>
      (await store.ofUser(userId)).map((row) => ({
        id: row.id,
        name: row.name,
        createdAt: row.created_at.toISOString(),
        lastUsedAt: row.last_used_at?.toISOString() ?? null,
      })),

    /** For navigator.credentials.get; the same for everybody, so that it tells nothing about anybody. */
    async loginOptions() {
      const { generateAuthenticationOptions } = await library();
      const options = await generateAuthenticationOptions({ rpID, userVerification: "required" });
      const data = { challenge: options.challenge };
      const begun = await ceremonies.begin("passkey-login", { userId: null, data });
      return { challenge: begun.token, options: { ...options } };
    },

    confirm: async (userId: string, answer: PasskeyAnswer): Promise<boolean> =>
      (await verify(answer)) === userId,

    /** For navigator.credentials.create. */
    async registrationOptions({ id, email, name }: Pick<UserRow, "id" | "email" | "name">) {
      const { generateRegistrationOptions } = await library();
      const present = await store.ofUser(id);
      const options = await generateRegistrationOptions({
        rpName: "Mainstay",
        rpID,
        userID: new Uint8Array(handleOf(id)),
        userName: email,
        userDisplayName: name,
        excludeCredentials: present.map((row) => ({ id: row.id, transports: row.transports })),
        authenticatorSelection: { residentKey: "required", userVerification: "required" },
      });
      const data = { challenge: options.challenge };
      const begun = await ceremonies.begin("passkey-registration", { userId: id, data });
      return { challenge: begun.token, options: { ...options } };
    },

    /** Keeps the passkey that a browser made. `isFirst`: within the transaction, when it is the first factor. */
    async register(
      given: PasskeyAnswer & { userId: string; name: string },
      origin: Origin,
      then: (tx: Tx) => Promise<void>,
    ): Promise<void> {
      const { userId, data } = await ceremonies.take("passkey-registration", given.challenge);
      const answer = registrationForm.safeParse(given.response);
      if (userId !== given.userId || !answer.success) throw refusal("the browser's answer has another form");
      if ((await store.ofUser(given.userId)).length >= PER_USER_MAX)
        throw refusal(`there are ${PER_USER_MAX} passkeys already`);
      const { verifyRegistrationResponse } = await library();
      const checked = await verifyRegistrationResponse({
        response: answer.data as RegistrationResponseJSON,
        expectedChallenge: kept.parse(data).challenge,
        expectedOrigin: publicUrl,
        expectedRPID: rpID,
        requireUserVerification: true,
      }).catch((error: unknown) => {
        throw refusal(error instanceof Error ? error.message : "the passkey cannot be checked");
      });
      if (!checked.verified) throw refusal("the passkey's signature is not right");
      const { id, publicKey, counter } = checked.registrationInfo.credential;
      const row = { id, user_id: given.userId, name: given.name, public_key: Buffer.from(publicKey) };
      const facts = { counter: String(counter), transports: answer.data.response.transports ?? [] };
      await db.transaction().execute(async (tx) => {
        const added = await store.insert(tx, { ...row, ...facts, created_at: clock.now(), last_used_at: null });
        if (!added) throw refusal("this passkey is registered already");
        await audit.record(tx, {
          ...origin,
          action: "identity.passkey_added",
          resource: { type: "user", id: given.userId },
          after: { passkey: id, name: given.name },
        });
        await then(tx);
      });
    },

    async remove({ userId, id }: { userId: string; id: string }, origin: Origin): Promise<void> {
      await db.transaction().execute(async (tx) => {
        if (!(await store.remove(tx, { userId, id }))) throw new AppError("NOT_FOUND", { what: `passkey ${id}` });
        await audit.record(tx, {
          ...origin,
          action: "identity.passkey_removed",
          resource: { type: "user", id: userId },
          before: { passkey: id },
        });
      });
    },
    forget: async (tx: Tx, userId: string): Promise<void> => void (await store.removeAll(tx, userId)),
  };
}

/** The user's handle in passkeys: our id, which says nothing about the person (WebAuthn §14.6.1). */
function handleOf(userId: string): Buffer {
  return Buffer.from(userId);
}

function refusal(reason: string): AppError {
  return new AppError("FACTOR_STATE", { reason });
}
