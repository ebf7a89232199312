import type { Database, Tx } from "../../../kernel/database/index.ts";

type Tables = {
  "identity.totp": {
    user_id: string;
    sealed_secret: Buffer;
    confirmed_at: Date | null;
    /** pg hands bigint out as text. */
    last_step: string | null;
    created_at: Date;
  };
  "identity.recovery_codes": { user_id: string; hash: Buffer; used_at: Date | null };
};

export type FactorStore = ReturnType<typeof createFactorStore>;

/** SQL of authenticator apps and recovery codes. */
export function createFactorStore(database: Database) {
  const db = database.withTables<Tables>();
  const within = (tx: Tx) => tx.withTables<Tables>();
  return {
    totp: (userId: string) =>
      db.selectFrom("identity.totp").selectAll().where("user_id", "=", userId).executeTakeFirst(),
    lockTotp: (tx: Tx, userId: string) =>
      within(tx).selectFrom("identity.totp").selectAll().where("user_id", "=", userId).forUpdate().executeTakeFirst(),
    /** Replaces one that was begun and never confirmed; false when there is a confirmed one. */
    async beginTotp(row: { userId: string; sealed: Buffer; at: Date }): Promise<boolean> {
      const fresh = { sealed_secret: row.sealed, created_at: row.at, confirmed_at: null, last_step: null };
      const begun = await db
        .insertInto("identity.totp")
        .values({ user_id: row.userId, ...fresh })
        .onConflict((conflict) =>
          conflict.column("user_id").doUpdateSet(fresh).where("identity.totp.confirmed_at", "is", null),
        )
        .returning("user_id")
        .executeTakeFirst();
      return begun !== undefined;
    },
    noteTotp: (tx: Tx, userId: string, use: { step: number; confirmedAt: Date }) =>
      within(tx)
        .updateTable("identity.totp")
        .set({ last_step: String(use.step), confirmed_at: use.confirmedAt })
        .where("user_id", "=", userId)
        .execute(),
    async removeTotp(tx: Tx, userId: string): Promise<boolean> {
      const removed = await within(tx)
        .deleteFrom("identity.totp")
        .where("user_id", "=", userId)
        .returning("confirmed_at")
        .executeTakeFirst();
      return Boolean(removed?.confirmed_at);
    },

    unusedCodes: async (userId: string): Promise<number> => {
      const { count } = await db
        .selectFrom("identity.recovery_codes")
        .select(({ fn }) => fn.countAll<string>().as("count"))
        .where("user_id", "=", userId)
        .where("used_at", "is", null)
        .executeTakeFirstOrThrow();
      return Number(count);
    },
    async replaceCodes(tx: Tx, userId: string, hashes: readonly Buffer[]): Promise<void> {
      await within(tx).deleteFrom("identity.recovery_codes").where("user_id", "=", userId).execute();
      if (hashes.length === 0) return;
      const rows = hashes.map((hash) => ({ user_id: userId, hash, used_at: null }));
      await within(tx).insertInto("identity.recovery_codes").values(rows).execute();
    },
    /** Whether it was one that nobody had used. */
    async useCode(tx: Tx, { userId, hash, at }: { userId: string; hash: Buffer; at: Date }): Promise<boolean> {
      const used = await within(tx)
        .updateTable("identity.recovery_codes")
        .set({ used_at: at })
        .where("user_id", "=", userId)
        .where("hash", "=", hash)
        .where("used_at", "is", null)
        .returning("user_id")
        .executeTakeFirst();
      return used !== undefined;
    },
  };
}
