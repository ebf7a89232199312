import type { Database, Tx } from "../../../kernel/database/index.ts";

type Tables = {
  "identity.passkeys": {
    id: string;
    user_id: string;
    name: string;
    public_key: Buffer;
    /** pg hands bigint out as text. */
    counter: string;
    transports: string[];
    created_at: Date;
    last_used_at: Date | null;
  };
};
export type PasskeyRow = Tables["identity.passkeys"];

/** SQL of passkeys. */
export function createPasskeyStore(database: Database) {
  const db = database.withTables<Tables>();
  const within = (tx: Tx) => tx.withTables<Tables>();
  return {
    passkey: (id: string) =>
      db.selectFrom("identity.passkeys").selectAll().where("id", "=", id).executeTakeFirst(),
    ofUser: (userId: string) =>
      db.selectFrom("identity.passkeys").selectAll().where("user_id", "=", userId).orderBy("created_at").execute(),
    async insert(tx: Tx, row: PasskeyRow): Promise<boolean> {
      const added = await within(tx)
        .insertInto("identity.passkeys")
        .values(row)
        .onConflict((conflict) => conflict.doNothing())
        .returning("id")
        .executeTakeFirst();
      return added !== undefined;
    },
    /** False when somebody else was as far: of two uses with one counter, one counts. */
    async noteUse(id: string, use: { from: string; to: number; at: Date }): Promise<boolean> {
      const noted = await db
        .updateTable("identity.passkeys")
        .set({ counter: String(use.to), last_used_at: use.at })
        .where("id", "=", id)
        .where("counter", "=", use.from)
        .returning("id")
        .executeTakeFirst();
      return noted !== undefined;
    },
    remove: (tx: Tx, { userId, id }: { userId: string; id: string }) =>
      within(tx)
        .deleteFrom("identity.passkeys")
        .where("user_id", "=", userId)
        .where("id", "=", id)
        .returning("id")
        .executeTakeFirst(),
    removeAll: (tx: Tx, userId: string) =>
      within(tx).deleteFrom("identity.passkeys").where("user_id", "=", userId).execute(),
  };
}
