import type { Database, Tx } from "../../kernel/database/index.ts";

export type Role = "admin";

type Tables = {
  "identity.api_keys": { id: string; name: string; role: Role; hash: Buffer; created_at: Date };
};
export type ApiKeyRow = Tables["identity.api_keys"];

export type IdentityStore = ReturnType<typeof createIdentityStore>;

/** All SQL of the room. */
export function createIdentityStore(database: Database) {
  const db = database.withTables<Tables>();
  return {
    /** False when a key of this name is there already. */
    async insertKey(tx: Tx, row: ApiKeyRow): Promise<boolean> {
      const inserted = await tx
        .withTables<Tables>()
        .insertInto("identity.api_keys")
        .values(row)
        .onConflict((conflict) => conflict.column("name").doNothing())
        .returning("id")
        .executeTakeFirst();
      return inserted !== undefined;
    },

    key: (id: string) =>
      db.selectFrom("identity.api_keys").selectAll().where("id", "=", id).executeTakeFirst(),
  };
}
