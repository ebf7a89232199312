import type { Database, Tx } from "../../../kernel/database/index.ts";
import type { Attempts } from "../domain/attempt-delay.ts";

type Tables = {
  "identity.attempts": { subject: Buffer; scope: string; failures: number; last_at: Date };
};

export interface AttemptsKey {
  subject: Buffer;
  /** Whose failures are counted together: "password", "password:<device>", "factor". */
  scope: string;
}

/** SQL of attempts that count as failed. */
export function createAttemptsStore(database: Database) {
  const db = database.withTables<Tables>();
  return {
    /** The row, locked until the end of the transaction, so that attempts at the same time see one another. */
    async lock(tx: Tx, { subject, scope }: AttemptsKey, now: Date): Promise<Attempts | null> {
      const table = tx.withTables<Tables>();
      await table
        .insertInto("identity.attempts")
        .values({ subject, scope, failures: 0, last_at: now })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      const row = await table
        .selectFrom("identity.attempts")
        .selectAll()
        .where("subject", "=", subject)
        .where("scope", "=", scope)
        .forUpdate()
        .executeTakeFirst();
      return !row || row.failures === 0 ? null : { failures: row.failures, lastAtMs: row.last_at.getTime() };
    },
    set: (tx: Tx, { subject, scope }: AttemptsKey, { failures, lastAtMs }: Attempts) =>
      tx
        .withTables<Tables>()
        .updateTable("identity.attempts")
        .set({ failures, last_at: new Date(lastAtMs) })
        .where("subject", "=", subject)
        .where("scope", "=", scope)
        .execute(),
    clear: ({ subject, scope }: AttemptsKey) =>
      db.deleteFrom("identity.attempts").where("subject", "=", subject).where("scope", "=", scope).execute(),
    clearSubject: (tx: Tx, subject: Buffer) =>
      tx.withTables<Tables>().deleteFrom("identity.attempts").where("subject", "=", subject).execute(),
    /** How many failures there were on all scopes of a subject since then. */
    async failuresSince(subject: Buffer, since: Date): Promise<number> {
      const row = await db
        .selectFrom("identity.attempts")
        .select(({ fn }) => fn.sum<string | null>("failures").as("failures"))
        .where("subject", "=", subject)
        .where("last_at", ">", since)
        .executeTakeFirst();
      return Number(row?.failures ?? 0);
    },
    purge: (before: Date) => db.deleteFrom("identity.attempts").where("last_at", "<=", before).execute(),
  };
}
