import { sql, type Selectable } from "kysely";
import type { Database, Tx } from "../../kernel/database/index.ts";

type Tables = {
  "audit.log": {
    id: boolean;
    origin: string;
    vkey: string;
    size: number;
    note: string | null;
    signed_at: Date | null;
    problem: string | null;
    problem_since: Date | null;
  };
  "audit.archives": {
    first_index: number;
    last_index: number;
    file: string;
    sha256: string;
    archived_at: Date;
  };
};
export type LogRow = Selectable<Tables["audit.log"]>;
export type ArchiveRow = Selectable<Tables["audit.archives"]>;

/** SQL of the log: what was signed last, and which entries lie in files. */
export function createLogStore(database: Database) {
  const db = database.withTables<Tables>();
  return {
    log: () => db.selectFrom("audit.log").selectAll().executeTakeFirst(),

    create: ({ origin, vkey }: Pick<LogRow, "origin" | "vkey">) =>
      db.insertInto("audit.log").values({ id: true, origin, vkey, size: 0 }).execute(),

    signed: ({ size, note, now }: { size: number; note: string; now: Date }) =>
      db
        .updateTable("audit.log")
        .set({ size, note, signed_at: now, problem: null, problem_since: null })
        .execute(),

    /** Null: it goes on. The time is that of the first of the same problem. */
    setProblem: (problem: string | null, now: Date) =>
      sql`update audit.log set problem = ${problem}, problem_since =
        case when ${problem}::text is null then null
          when problem is null then ${now}::timestamptz else problem_since end`.execute(db),

    archives: (): Promise<ArchiveRow[]> =>
      db.selectFrom("audit.archives").selectAll().orderBy("first_index").execute(),

    /** Remembers an archive, which allows that its entries are removed, and removes them. */
    async archive(tx: Tx, row: ArchiveRow): Promise<number> {
      await tx.withTables<Tables>().insertInto("audit.archives").values(row).execute();
      const result = await sql`delete from audit.entries
        where index between ${row.first_index} and ${row.last_index}`.execute(tx);
      return Number(result.numAffectedRows ?? 0);
    },
  };
}

export type AuditLogStore = ReturnType<typeof createLogStore>;
