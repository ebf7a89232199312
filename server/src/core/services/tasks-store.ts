import type { Compatibility, TaskName } from "@mainstay/api";
import type { Selectable } from "kysely";
import type { Database, Tx } from "../../kernel/database/index.ts";
import type { Target } from "./store.ts";

type Tables = {
  "services.tasks": {
    id: string;
    service: string;
    environment: string;
    release: string;
    kind: TaskName;
    change: string | null;
    /** Tells those of one kind in a change apart: the moment of a hook, the code a rehearsal is about. */
    name: string;
    attempt: number;
    command: string;
    /** How much it finds on standard input; null: nothing is connected. */
    input_bytes: string | null;
    /** Beyond the variables of the release. */
    env: Record<string, string>;
    timeout_ms: string;
    compatibility: Compatibility | null;
    state: "running" | "succeeded" | "failed" | "lost" | "stopped";
    exit_code: number | null;
    reason: string | null;
    output: string;
    requested_by: { type: string; id: string; name: string };
    created_at: Date;
    finished_at: Date | null;
  };
  "services.releases": { id: string; origin: string | null };
};
export type TaskRow = Selectable<Tables["services.tasks"]>;
type Outcome = Pick<TaskRow, "state" | "exit_code" | "reason" | "output" | "finished_at">;

/** All SQL of tasks. */
export function createTasksStore(database: Database) {
  const db = database.withTables<Tables>();
  const within = (tx: Tx) => tx.withTables<Tables>();
  return {
    /** False when this attempt is there already. */
    insert: async (tx: Tx, row: TaskRow): Promise<boolean> => {
      const result = await within(tx)
        .insertInto("services.tasks")
        .values({
          ...row,
          env: JSON.stringify(row.env) as never,
          requested_by: JSON.stringify(row.requested_by) as never,
        })
        .onConflict((conflict) => conflict.columns(["change", "kind", "name", "attempt"]).doNothing())
        .executeTakeFirst();
      return (result.numInsertedOrUpdatedRows ?? 0n) === 1n;
    },
    task: (id: string) => db.selectFrom("services.tasks").selectAll().where("id", "=", id).executeTakeFirst(),
    running: () =>
      db.selectFrom("services.tasks").selectAll().where("finished_at", "is", null).orderBy("id").execute(),
    /** Of one kind, or of every kind, in the order they were begun. */
    ofChange: (change: string, kind?: TaskName) => {
      const all = db.selectFrom("services.tasks").selectAll().where("change", "=", change).orderBy("id");
      return (kind ? all.where("kind", "=", kind) : all).execute();
    },
    ofService: (target: Target, limit: number) =>
      db
        .selectFrom("services.tasks")
        .selectAll()
        .where("service", "=", target.service)
        .where("environment", "=", target.environment)
        .orderBy("id", "desc")
        .limit(limit)
        .execute(),
    /** Writes how a task ended, once; false when that is written already. */
    finish: async (tx: Tx, id: string, outcome: Outcome): Promise<boolean> => {
      const result = await within(tx)
        .updateTable("services.tasks")
        .set(outcome)
        .where("id", "=", id)
        .where("finished_at", "is", null)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    /** Forgets what was run by hand before a time; of what belongs to a change only what it wrote. */
    prune: (before: Date) =>
      db.transaction().execute(async (tx) => {
        const old = tx.deleteFrom("services.tasks").where("kind", "=", "run");
        await old.where("finished_at", "<", before).execute();
        const outputs = tx.updateTable("services.tasks").set({ output: "" }).where("output", "<>", "");
        await outputs.where("finished_at", "<", before).execute();
      }),
    /** Whether the release command of some code has succeeded, in whatever change. */
    hasSucceeded: async (origin: string): Promise<boolean> => {
      const row = await db
        .selectFrom("services.tasks as task")
        .innerJoin("services.releases as release", "release.id", "task.release")
        .select("task.id")
        .where("task.kind", "=", "release")
        .where("task.state", "=", "succeeded")
        .where(({ eb, or }) => or([eb("release.id", "=", origin), eb("release.origin", "=", origin)]))
        .executeTakeFirst();
      return row !== undefined;
    },
    /** Whether some stable release could start on the schema that the code's release command left. */
    hasRehearsed: async (code: string): Promise<boolean> => {
      const row = await db
        .selectFrom("services.tasks")
        .select("id")
        .where("kind", "=", "rehearsal")
        .where("name", "=", code)
        .where("state", "=", "succeeded")
        .executeTakeFirst();
      return row !== undefined;
    },
    /** The latest release command after which the releases before it cannot run any more. */
    lastContract: (target: Target) =>
      db
        .selectFrom("services.tasks")
        .selectAll()
        .where("service", "=", target.service)
        .where("environment", "=", target.environment)
        .where("kind", "=", "release")
        .where("state", "=", "succeeded")
        .where("compatibility", "=", "contract")
        .orderBy("id", "desc")
        .limit(1)
        .executeTakeFirst(),
  };
}
export type TasksStore = ReturnType<typeof createTasksStore>;
