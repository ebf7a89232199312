import type { Database, Tx } from "../../../kernel/database/index.ts";

type Tables = {
  "identity.oidc_accounts": { issuer: string; subject: string; user_id: string; created_at: Date };
};

/** SQL of accounts elsewhere that stand for a user here. */
export function createOidcStore(database: Database) {
  const db = database.withTables<Tables>();
  return {
    userOf: async ({ issuer, subject }: { issuer: string; subject: string }): Promise<string | null> => {
      const row = await db
        .selectFrom("identity.oidc_accounts")
        .select("user_id")
        .where("issuer", "=", issuer)
        .where("subject", "=", subject)
        .executeTakeFirst();
      return row?.user_id ?? null;
    },
    insert: (tx: Tx, row: Tables["identity.oidc_accounts"]) =>
      tx.withTables<Tables>().insertInto("identity.oidc_accounts").values(row).execute(),
  };
}
