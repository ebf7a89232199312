import type { Database, Tx } from "../../kernel/database/index.ts";

type Tables = {
  "certificates.certificates": {
    host: string;
    chain: string | null;
    not_before: Date | null;
    not_after: Date | null;
    attempts: number;
    last_attempt_at: Date | null;
    next_attempt_at: Date;
    problem: string | null;
    created_at: Date;
    updated_at: Date;
  };
  "certificates.lease": { is_single: boolean; holder: string | null; expires_at: Date };
};
export type CertificateRow = Tables["certificates.certificates"];

export type CertificatesStore = ReturnType<typeof createCertificatesStore>;

/** All SQL of the room. */
export function createCertificatesStore(database: Database) {
  const db = database.withTables<Tables>();
  const lease = () => db.updateTable("certificates.lease");
  return {
    rows: () => db.selectFrom("certificates.certificates").selectAll().orderBy("host").execute(),

    row: (host: string) =>
      db.selectFrom("certificates.certificates").selectAll().where("host", "=", host).executeTakeFirst(),

    /** Takes up hosts that are new; what is known stays as it is. */
    async ensure(hosts: readonly string[], now: Date): Promise<void> {
      if (hosts.length === 0) return;
      const times = { next_attempt_at: now, created_at: now, updated_at: now };
      const rows = hosts.map((host) => ({ host, ...times }));
      const insert = db
        .insertInto("certificates.certificates")
        .values(rows.map((row) => ({ ...row, attempts: 0 })));
      await insert.onConflict((conflict) => conflict.column("host").doNothing()).execute();
    },

    async update(tx: Tx, host: string, patch: Partial<CertificateRow>): Promise<void> {
      const table = tx.withTables<Tables>().updateTable("certificates.certificates");
      await table.set(patch).where("host", "=", host).execute();
    },

    /** False while another server holds it. */
    async takeLease(holder: string, { now, expiresAt }: { now: Date; expiresAt: Date }): Promise<boolean> {
      const taken = await lease()
        .set({ holder, expires_at: expiresAt })
        .where((where) => where.or([where("holder", "=", holder), where("expires_at", "<=", now)]))
        .executeTakeFirst();
      return taken.numUpdatedRows > 0n;
    },

    async giveLease(holder: string, now: Date): Promise<void> {
      await lease().set({ holder: null, expires_at: now }).where("holder", "=", holder).execute();
    },
  };
}
