import type { ServiceFile } from "@mainstay/api";
import type { Database, Tx } from "../../kernel/database/index.ts";
import { sql, type Selectable } from "kysely";

type Tables = {
  "services.releases": {
    id: string;
    service: string;
    environment: string;
    digest: string;
    version: string | null;
    directory: string;
    file: string;
    snapshot: ServiceFile;
    created_at: Date;
    created_by: { type: string; id: string; name: string };
  };
  "services.services": {
    name: string;
    environment: string;
    stable_release: string | null;
    candidate_release: string | null;
    change: string | null;
    weight: number;
    proven: number;
    created_at: Date;
    updated_at: Date;
  };
  "services.instances": {
    id: string;
    service: string;
    environment: string;
    release: string;
    process: string;
    ordinal: number;
    created_at: Date;
  };
};
export type ReleaseRow = Selectable<Tables["services.releases"]>;
export type ServiceRow = Selectable<Tables["services.services"]>;
export type InstanceRow = Selectable<Tables["services.instances"]>;
export interface Target {
  service: string;
  environment: string;
}
type MaybeTarget = { [Key in keyof Target]?: string | undefined };

/** All SQL of the room. */
export function createServicesStore(database: Database) {
  const db = database.withTables<Tables>();
  const within = (tx: Tx) => tx.withTables<Tables>();
  return {
    insertRelease: (tx: Tx, row: ReleaseRow) =>
      within(tx)
        .insertInto("services.releases")
        .values({
          ...row,
          snapshot: JSON.stringify(row.snapshot) as never,
          created_by: JSON.stringify(row.created_by) as never,
        })
        .execute(),
    release: (id: string) =>
      db.selectFrom("services.releases").selectAll().where("id", "=", id).executeTakeFirst(),
    releases: (target: MaybeTarget, { before, limit }: { before: string | null; limit: number }) => {
      let query = db.selectFrom("services.releases").selectAll().orderBy("id", "desc").limit(limit);
      if (before !== null) query = query.where("id", "<", before);
      if (target.service) query = query.where("service", "=", target.service);
      if (target.environment) query = query.where("environment", "=", target.environment);
      return query.execute();
    },
    releasesById: (ids: string[]) =>
      ids.length === 0
        ? Promise.resolve<ReleaseRow[]>([])
        : db.selectFrom("services.releases").selectAll().where("id", "in", ids).execute(),
    ensureService: (tx: Tx, target: Target, now: Date) =>
      within(tx)
        .insertInto("services.services")
        .values({
          name: target.service,
          environment: target.environment,
          stable_release: null,
          candidate_release: null,
          change: null,
          weight: 0,
          proven: 0,
          created_at: now,
          updated_at: now,
        })
        .onConflict((conflict) => conflict.doNothing())
        .execute(),
    service: (target: Target) =>
      db
        .selectFrom("services.services")
        .selectAll()
        .where("name", "=", target.service)
        .where("environment", "=", target.environment)
        .executeTakeFirst(),
    services: () =>
      db.selectFrom("services.services").selectAll().orderBy("name").orderBy("environment").execute(),
    updateService: (target: Target, patch: Partial<ServiceRow>) =>
      db
        .updateTable("services.services")
        .set(patch)
        .where("name", "=", target.service)
        .where("environment", "=", target.environment)
        .execute(),
    insertInstances: (rows: InstanceRow[]) =>
      db
        .insertInto("services.instances")
        .values(rows)
        .onConflict((conflict) => conflict.columns(["release", "process", "ordinal"]).doNothing())
        .execute(),
    deleteInstances: (release: string) =>
      db.deleteFrom("services.instances").where("release", "=", release).execute(),
    /** Those from this ordinal on. */
    deleteInstancesFrom: (release: string, process: string, ordinal: number) =>
      db
        .deleteFrom("services.instances")
        .where("release", "=", release)
        .where("process", "=", process)
        .where("ordinal", ">=", ordinal)
        .execute(),
    instances: () => db.selectFrom("services.instances").selectAll().orderBy("id").execute(),
    instance: (id: string) =>
      db.selectFrom("services.instances").selectAll().where("id", "=", id).executeTakeFirst(),
    nextGeneration: async (atLeast: number): Promise<number> => {
      const { rows } = await sql<{ next: string }>`
        select setval('services.generations',
                      greatest(nextval('services.generations'), ${atLeast}::bigint)) as next
      `.execute(db);
      return Number(rows[0]?.next);
    },
  };
}
export type ServicesStore = ReturnType<typeof createServicesStore>;
