import { sql, type Selectable } from "kysely";
import type { Database, Tx } from "../../kernel/database/index.ts";

type Tables = {
  "audit.keepers": {
    name: string;
    size: number;
    note: string | null;
    kept_at: Date | null;
    cosignature: string | null;
    kept_total: number;
    failed_total: number;
    failures: number;
    error: string | null;
    next_at: Date | null;
  };
  "audit.witnessed": { origin: string; size: number; note: string; at: Date };
};
export type KeeperRow = Selectable<Tables["audit.keepers"]>;
export type WitnessedRow = Selectable<Tables["audit.witnessed"]>;

export interface Kept {
  size: number;
  note: string;
  cosignature: string | null;
  now: Date;
  nextAt: Date;
}

/** SQL of who keeps our checkpoints, and of the logs whose checkpoints we keep. */
export function createKeepersStore(database: Database) {
  const db = database.withTables<Tables>();
  return {
    keeper: (name: string) =>
      db.selectFrom("audit.keepers").selectAll().where("name", "=", name).executeTakeFirst(),
    keepers: () => db.selectFrom("audit.keepers").selectAll().execute(),

    /** Those of the configuration; what was known of others is forgotten. */
    async adopt(names: readonly string[]): Promise<void> {
      await sql`delete from audit.keepers where not name = any(${names})`.execute(db);
      await sql`insert into audit.keepers (name)
        select unnest(${names}::text[]) on conflict do nothing`.execute(db);
    },

    kept: (name: string, { size, note, cosignature, now, nextAt }: Kept) =>
      sql`update audit.keepers set size = ${size}, note = ${note}, cosignature = ${cosignature},
        kept_at = ${now}, next_at = ${nextAt}, kept_total = kept_total + 1, failures = 0, error = null
        where name = ${name}`.execute(db),

    failed: (name: string, { error, nextAt }: { error: string; nextAt: Date }) =>
      sql`update audit.keepers set error = ${error}, next_at = ${nextAt}, failures = failures + 1,
        failed_total = failed_total + 1 where name = ${name}`.execute(db),

    witnessed: () => db.selectFrom("audit.witnessed").selectAll().orderBy("origin").execute(),

    /** What was kept of a log; nobody else may look or write until the transaction ends. */
    async lockWitnessed(tx: Tx, origin: string): Promise<WitnessedRow | undefined> {
      await sql`select pg_advisory_xact_lock(hashtext('mainstay witness'), hashtext(${origin}))`.execute(tx);
      const own = tx.withTables<Tables>();
      return own.selectFrom("audit.witnessed").selectAll().where("origin", "=", origin).executeTakeFirst();
    },

    witness: (tx: Tx, row: WitnessedRow) =>
      tx
        .withTables<Tables>()
        .insertInto("audit.witnessed")
        .values(row)
        .onConflict((conflict) => conflict.column("origin").doUpdateSet(row))
        .execute(),
  };
}

export type KeepersStore = ReturnType<typeof createKeepersStore>;
