import type { BuildState, BuildStep } from "@mainstay/api";
import type { Selectable } from "kysely";
import type { Database, Tx } from "../../kernel/database/index.ts";

/** What the release of a build is registered with, beside what its service file says. */
interface Wish {
  env?: Record<string, string> | undefined;
  signature?: string | undefined;
}

type Tables = {
  "builds.builds": {
    id: string;
    service: string;
    environment: string;
    source_digest: string;
    file: string;
    step: BuildStep;
    wish: Wish;
    state: BuildState;
    exit_code: number | null;
    reason: string | null;
    output: string;
    digest: string | null;
    release: string | null;
    reuses: string | null;
    requested_by: { type: string; id: string; name: string };
    created_at: Date;
    started_at: Date | null;
    finished_at: Date | null;
  };
};
export type BuildRow = Selectable<Tables["builds.builds"]>;
export type Outcome = Pick<BuildRow, "state" | "exit_code" | "reason" | "output"> &
  Partial<Pick<BuildRow, "digest" | "release">>;

/** All SQL of the room. */
export function createBuildsStore(database: Database) {
  const db = database.withTables<Tables>();
  const within = (tx: Tx) => tx.withTables<Tables>();
  const unfinished = () =>
    db.selectFrom("builds.builds").selectAll().where("finished_at", "is", null).orderBy("id");
  return {
    insert: (tx: Tx, row: BuildRow) =>
      within(tx)
        .insertInto("builds.builds")
        .values({
          ...row,
          step: JSON.stringify(row.step) as never,
          wish: JSON.stringify(row.wish) as never,
          requested_by: JSON.stringify(row.requested_by) as never,
        })
        .execute(),
    build: (id: string) => db.selectFrom("builds.builds").selectAll().where("id", "=", id).executeTakeFirst(),
    latest: (service: string | undefined, limit: number) => {
      const query = db.selectFrom("builds.builds").selectAll().orderBy("id", "desc").limit(limit);
      return (service === undefined ? query : query.where("service", "=", service)).execute();
    },
    unfinished: () => unfinished().execute(),
    running: () => unfinished().where("state", "=", "running").execute(),
    /** The latest build of a source that left something. */
    ofSource: (digest: string, file: string) =>
      db
        .selectFrom("builds.builds")
        .selectAll()
        .where("source_digest", "=", digest)
        .where("file", "=", file)
        .where("state", "=", "succeeded")
        .where("reuses", "is", null)
        .orderBy("id", "desc")
        .limit(1)
        .executeTakeFirst(),
    /** False when it is not waiting any more. */
    begin: async (tx: Tx, id: string, now: Date): Promise<boolean> => {
      const result = await within(tx)
        .updateTable("builds.builds")
        .set({ state: "running", started_at: now })
        .where("id", "=", id)
        .where("state", "=", "waiting")
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    /** Writes how a build ended, once; false when that is written already. */
    finish: async (tx: Tx, id: string, outcome: Outcome & { finished_at: Date }): Promise<boolean> => {
      const result = await within(tx)
        .updateTable("builds.builds")
        .set(outcome)
        .where("id", "=", id)
        .where("finished_at", "is", null)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    /** Forgets what made nothing before a time; of the others only what they wrote. */
    prune: (before: Date) =>
      db.transaction().execute(async (tx) => {
        const vain = tx.deleteFrom("builds.builds").where("state", "in", ["failed", "stopped"]);
        await vain.where("finished_at", "<", before).execute();
        const outputs = tx.updateTable("builds.builds").set({ output: "" }).where("output", "<>", "");
        await outputs.where("finished_at", "<", before).execute();
      }),
  };
}
export type BuildsStore = ReturnType<typeof createBuildsStore>;
