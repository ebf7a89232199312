import { AppError } from "@mainstay/api";
import type { Clock } from "../../../kernel/clock.ts";
import type { Database, Tx } from "../../../kernel/database/index.ts";
import type { Random } from "../../../kernel/ids.ts";
import { hashToken, makeToken } from "../domain/tokens.ts";

export type CeremonyKind = "login" | "passkey-login" | "passkey-registration" | "step-up" | "oidc";

type Tables = {
  "identity.ceremonies": {
    hash: Buffer;
    kind: CeremonyKind;
    user_id: string | null;
    data: string;
    attempts: number;
    expires_at: Date;
  };
};

export interface Ceremony {
  userId: string | null;
  data: unknown;
}

const LIFE_MS = 5 * 60_000;
const ATTEMPTS_MAX = 5;
/** So many may be open; beyond that the oldest are dropped, so that strangers cannot fill the table. */
const OPEN_MAX = 10_000;

export type Ceremonies = ReturnType<typeof createCeremonies>;

/** What is begun in one request and ended in another, by whoever holds its token; for five minutes. */
export function createCeremonies(dependencies: { db: Database; clock: Clock; random: Random }) {
  const { clock, random } = dependencies;
  const db = dependencies.db.withTables<Tables>();

  async function purge(): Promise<void> {
    await db.deleteFrom("identity.ceremonies").where("expires_at", "<=", clock.now()).execute();
    const { open } = await db
      .selectFrom("identity.ceremonies")
      .select(({ fn }) => fn.countAll<string>().as("open"))
      .executeTakeFirstOrThrow();
    if (Number(open) < OPEN_MAX) return;
    const oldest = db
      .selectFrom("identity.ceremonies")
      .select("hash")
      .orderBy("expires_at")
      .limit(Number(open) - OPEN_MAX + 1);
    await db.deleteFrom("identity.ceremonies").where("hash", "in", oldest).execute();
  }

  return {
    /** Answers the token that ends it. */
    async begin(kind: CeremonyKind, ceremony: Ceremony): Promise<{ token: string; expiresAt: Date }> {
      await purge();
      const { text, hash } = makeToken(random, "challenge");
      const expiresAt = new Date(clock.now().getTime() + LIFE_MS);
      const { userId, data } = ceremony;
      const row = { hash, kind, user_id: userId, data: JSON.stringify(data), attempts: 0 };
      await db
        .insertInto("identity.ceremonies")
        .values({ ...row, expires_at: expiresAt })
        .execute();
      return { token: text, expiresAt };
    },
    /** One of a few tries to end it; throws CHALLENGE_EXPIRED when it is over. */
    async attempt(kind: CeremonyKind, token: string): Promise<Ceremony> {
      const row = await db
        .updateTable("identity.ceremonies")
        .set(({ eb }) => ({ attempts: eb("attempts", "+", 1) }))
        .where("hash", "=", hashToken(token))
        .where("kind", "=", kind)
        .where("attempts", "<", ATTEMPTS_MAX)
        .where("expires_at", ">", clock.now())
        .returning(["user_id", "data"])
        .executeTakeFirst();
      if (!row) throw new AppError("CHALLENGE_EXPIRED");
      return { userId: row.user_id, data: row.data };
    },
    /** Ends it, once: throws CHALLENGE_EXPIRED for whoever comes second. */
    async take(kind: CeremonyKind, token: string): Promise<Ceremony> {
      const row = await db
        .deleteFrom("identity.ceremonies")
        .where("hash", "=", hashToken(token))
        .where("kind", "=", kind)
        .where("expires_at", ">", clock.now())
        .returning(["user_id", "data"])
        .executeTakeFirst();
      if (!row) throw new AppError("CHALLENGE_EXPIRED");
      return { userId: row.user_id, data: row.data };
    },
    /** Ends the logins that somebody has begun, as the password they began with counts no more. */
    endLogins: (tx: Tx, userId: string) =>
      tx
        .withTables<Tables>()
        .deleteFrom("identity.ceremonies")
        .where("user_id", "=", userId)
        .where("kind", "=", "login")
        .execute(),
    purge,
  };
}
