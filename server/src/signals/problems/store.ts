import type { ProblemKind } from "@mainstay/api";
import { sql, type Selectable } from "kysely";
import type { Database, Tx } from "../../kernel/database/index.ts";
import type { Crashes } from "./domain/looks.ts";
import type { Known, Seen } from "./domain/problem.ts";

type Tables = {
  "problems.problems": {
    kind: ProblemKind;
    subject: string;
    service: string | null;
    environment: string | null;
    summary: string;
    since: Date;
    told_at: Date | null;
    gone_since: Date | null;
  };
  "problems.crashes": {
    event: string;
    service: string;
    environment: string;
    process: string;
    release: string;
    at: Date;
  };
};
type ProblemRow = Selectable<Tables["problems.problems"]>;
export type CrashRow = Selectable<Tables["problems.crashes"]>;

/** All SQL of the room. */
export function createProblemsStore(database: Database) {
  const db = database.withTables<Tables>();
  const within = (tx: Tx) => tx.withTables<Tables>();
  return {
    /** One look at a time, however many servers there are; false while another one has it. */
    lock: async (tx: Tx): Promise<boolean> => {
      const lock = sql<{
        taken: boolean;
      }>`select pg_try_advisory_xact_lock(hashtext('mainstay problems')) as taken`;
      return (await lock.execute(tx)).rows[0]?.taken ?? false;
    },
    known: async (tx: Tx): Promise<Known[]> => {
      const rows = await within(tx).selectFrom("problems.problems").selectAll().execute();
      return rows.map(toKnown);
    },
    /** What was told of and is not over. */
    open: async (): Promise<Known[]> => {
      const open = db.selectFrom("problems.problems").selectAll().where("told_at", "is not", null);
      return (await open.orderBy("since").execute()).map(toKnown);
    },
    find: async (tx: Tx, { kind, subject }: Pick<Seen, "kind" | "subject">): Promise<Known | null> => {
      const query = within(tx).selectFrom("problems.problems").selectAll();
      const row = await query.where("kind", "=", kind).where("subject", "=", subject).executeTakeFirst();
      return row ? toKnown(row) : null;
    },
    write: async (tx: Tx, { toldAt, goneSince, ...problem }: Known): Promise<void> => {
      const row = { ...problem, told_at: toldAt, gone_since: goneSince };
      await within(tx)
        .insertInto("problems.problems")
        .values(row)
        .onConflict((conflict) => conflict.columns(["kind", "subject"]).doUpdateSet(row))
        .execute();
    },
    remove: (tx: Tx, { kind, subject }: Pick<Seen, "kind" | "subject">) =>
      within(tx)
        .deleteFrom("problems.problems")
        .where("kind", "=", kind)
        .where("subject", "=", subject)
        .execute(),

    addCrash: async (row: CrashRow, forgetBefore: Date): Promise<void> => {
      await db.deleteFrom("problems.crashes").where("at", "<", forgetBefore).execute();
      await db
        .insertInto("problems.crashes")
        .values(row)
        .onConflict((same) => same.doNothing())
        .execute();
    },
    /** By process, of these releases alone. */
    crashes: async (since: Date, releases: readonly string[]): Promise<Crashes[]> => {
      if (releases.length === 0) return [];
      const keys = ["service", "environment", "process"] as const;
      const query = db
        .selectFrom("problems.crashes")
        .where("at", ">=", since)
        .where("release", "in", releases);
      const count = query.select(({ fn }) => [...keys, fn.countAll<string>().as("count")]).groupBy(keys);
      return (await count.execute()).map((row) => ({ ...row, count: Number(row.count) }));
    },
  };
}
export type ProblemsStore = ReturnType<typeof createProblemsStore>;

function toKnown({ told_at: toldAt, gone_since: goneSince, ...problem }: ProblemRow): Known {
  return { ...problem, toldAt, goneSince };
}
