import { sql, type Selectable } from "kysely";
import type { Database, Tx } from "../../../kernel/database/index.ts";

type Tables = {
  "identity.signing_keys": {
    kid: string;
    x: string;
    sealed_seed: Buffer;
    signs_from: Date;
    signs_until: Date;
    created_at: Date;
  };
};
export type SigningKeyRow = Selectable<Tables["identity.signing_keys"]>;

const LOCK = "identity: signing keys";

/** All SQL on the keys that sign tokens. */
export function createTokenStore(database: Database) {
  const within = (tx: Tx) => tx.withTables<Tables>();
  return {
    keys: (tx: Database | Tx = database) =>
      tx.withTables<Tables>().selectFrom("identity.signing_keys").selectAll().orderBy("signs_from").execute(),
    /** One server at a time alters them. */
    lock: (tx: Tx) => sql`select pg_advisory_xact_lock(hashtextextended(${LOCK}, 0))`.execute(tx),
    insert: (tx: Tx, row: SigningKeyRow) =>
      within(tx).insertInto("identity.signing_keys").values(row).execute(),
    remove: (tx: Tx, kid: string) =>
      within(tx).deleteFrom("identity.signing_keys").where("kid", "=", kid).execute(),
    endSigning: (tx: Tx, kid: string, at: Date) =>
      within(tx)
        .updateTable("identity.signing_keys")
        .set({ signs_until: at })
        .where("kid", "=", kid)
        .execute(),
  };
}
