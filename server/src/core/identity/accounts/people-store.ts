import { sql } from "kysely";
import type { Database, Tx } from "../../../kernel/database/index.ts";

export type UserState = "invited" | "active" | "disabled";
export type LinkKind = "setup" | "invitation" | "reset";

type Tables = {
  "identity.users": {
    id: string;
    email: string;
    name: string;
    state: UserState;
    password_hash: string | null;
    created_at: Date;
    last_login_at: Date | null;
  };
  "identity.links": {
    hash: Buffer;
    kind: LinkKind;
    user_id: string | null;
    created_at: Date;
    expires_at: Date;
  };
};
export type UserRow = Tables["identity.users"];
export type LinkRow = Tables["identity.links"];

export type PeopleStore = ReturnType<typeof createPeopleStore>;

/** SQL of users and of the one-time links that lead them in. */
export function createPeopleStore(database: Database) {
  const db = database.withTables<Tables>();
  const within = (tx: Tx) => tx.withTables<Tables>();
  const sameEmail = (email: string) => sql<boolean>`lower(email) = lower(${email})`;
  return {
    user: (id: string) =>
      db.selectFrom("identity.users").selectAll().where("id", "=", id).executeTakeFirst(),
    userByEmail: (email: string) =>
      db.selectFrom("identity.users").selectAll().where(sameEmail(email)).executeTakeFirst(),
    users: (limit: number) =>
      db.selectFrom("identity.users").selectAll().orderBy("created_at").orderBy("id").limit(limit).execute(),

    /** Null when the address is taken. */
    async insertUser(tx: Tx, row: UserRow): Promise<boolean> {
      const added = await within(tx)
        .insertInto("identity.users")
        .values(row)
        .onConflict((conflict) => conflict.doNothing())
        .returning("id")
        .executeTakeFirst();
      return added !== undefined;
    },
    /** The row as it stands, kept as it is until the end of the transaction. */
    lockUser: (tx: Tx, id: string) =>
      within(tx).selectFrom("identity.users").selectAll().where("id", "=", id).forUpdate().executeTakeFirst(),
    updateUser: (tx: Tx, id: string, change: Partial<Omit<UserRow, "id">>) =>
      within(tx).updateTable("identity.users").set(change).where("id", "=", id).execute(),
    deleteUser: (tx: Tx, id: string) =>
      within(tx).deleteFrom("identity.users").where("id", "=", id).execute(),
    noteLogin: (tx: Tx, id: string, at: Date) =>
      within(tx).updateTable("identity.users").set({ last_login_at: at }).where("id", "=", id).execute(),
    /** Kept only while the hash that was verified is still the one that counts. */
    rehash: (id: string, { from, to }: { from: string; to: string }) =>
      db
        .updateTable("identity.users")
        .set({ password_hash: to })
        .where("id", "=", id)
        .where("password_hash", "=", from)
        .execute(),

    insertLink: (tx: Tx, row: LinkRow) => within(tx).insertInto("identity.links").values(row).execute(),
    /** Takes the link out, so that nobody uses it twice. */
    takeLink: (tx: Tx, hash: Buffer, now: Date) =>
      within(tx)
        .deleteFrom("identity.links")
        .where("hash", "=", hash)
        .where("expires_at", ">", now)
        .returningAll()
        .executeTakeFirst(),
    link: (hash: Buffer, now: Date) =>
      db
        .selectFrom("identity.links")
        .selectAll()
        .where("hash", "=", hash)
        .where("expires_at", ">", now)
        .executeTakeFirst(),
    deleteLinks: (tx: Tx, where: { kind: LinkKind } | { userId: string }) => {
      const links = within(tx).deleteFrom("identity.links");
      return "kind" in where
        ? links.where("kind", "=", where.kind).execute()
        : links.where("user_id", "=", where.userId).execute();
    },
    hasUsers: async (tx: Tx) =>
      (await within(tx).selectFrom("identity.users").select("id").limit(1).executeTakeFirst()) !== undefined,
    /** Only one server at a time sets up. */
    lockSetup: (tx: Tx) => sql`select pg_advisory_xact_lock(hashtext('identity.setup'))`.execute(tx),
    purgeLinks: (now: Date) => db.deleteFrom("identity.links").where("expires_at", "<=", now).execute(),
  };
}
