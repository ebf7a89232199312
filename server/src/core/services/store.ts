import type { ServiceFile } from "@mainstay/api";
import type { Database, Tx } from "../../kernel/database/index.ts";
import { sql, type Kysely, type Selectable } from "kysely";
import type { Sbom } from "./domain/sbom.ts";

/**
 * What was set beyond the service file: variables (null: not set, whatever the file says), secrets by name.
 */
export interface Settings {
  env: Record<string, string | null>;
  secrets: string[];
}

type Tables = {
  "services.releases": {
    id: string;
    service: string;
    environment: string;
    digest: string;
    /** The build that made these files, and the digest of those it made them from; null: as they came. */
    build: string | null;
    source_digest: string | null;
    version: string | null;
    directory: string;
    file: string;
    snapshot: ServiceFile;
    /** The release it was made from by altering the configuration; null: registered with code of its own. */
    base: string | null;
    /** The first release with this code; null: this one. */
    origin: string | null;
    settings: Settings;
    /** The text of a .minisig file over the digest; null: nobody signed it. */
    signature: string | null;
    /** Which version of the secrets' values it uses; null: there were none. */
    secrets_version: string | null;
    created_at: Date;
    created_by: { type: string; id: string; name: string };
    collected_at: Date | null;
  };
  "services.contents": { digest: string; sbom: Sbom | null; files: Buffer | null };
  "services.services": {
    name: string;
    environment: string;
    stable_release: string | null;
    candidate_release: string | null;
    change: string | null;
    weight: number;
    proven: number;
    /** How many instances of a process were asked for, whatever the service file says. */
    scale: Record<string, number>;
    /** Null: it serves. */
    maintenance_retry_after_ms: number | null;
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
export type ContentsRow = Selectable<Tables["services.contents"]>;
export type ServiceRow = Selectable<Tables["services.services"]>;
export type InstanceRow = Selectable<Tables["services.instances"]>;
export interface Target {
  service: string;
  environment: string;
}
interface Replacement {
  insert: InstanceRow[];
  /** Instances of a release: of these processes, or (null) all. */
  remove?: { release: string; processes: string[] | null } | null;
  /** Instances of one process of a release beyond a number. */
  surplus?: { release: string; process: string; count: number }[];
}
type MaybeTarget = { [Key in keyof Target]?: string | undefined };

/** Ids of the releases that production is made of right now. */
function inPlace(db: Kysely<Tables>) {
  return db
    .selectFrom("services.services")
    .select(({ ref }) => ref("stable_release").$notNull().as("id"))
    .where("stable_release", "is not", null)
    .union(
      db
        .selectFrom("services.services")
        .select(({ ref }) => ref("candidate_release").$notNull().as("id"))
        .where("candidate_release", "is not", null),
    )
    .union(db.selectFrom("services.instances").select("release as id"));
}

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
          settings: JSON.stringify(row.settings) as never,
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
    /** The latest release whose files a build has left, by their digest. */
    builtRelease: (digest: string) =>
      db
        .selectFrom("services.releases")
        .selectAll()
        .where("digest", "=", digest)
        .where("source_digest", "is not", null)
        .orderBy("id", "desc")
        .limit(1)
        .executeTakeFirst(),
    releasesById: (ids: string[]) =>
      ids.length === 0
        ? Promise.resolve<ReleaseRow[]>([])
        : db.selectFrom("services.releases").selectAll().where("id", "in", ids).execute(),
    allReleases: () => db.selectFrom("services.releases").selectAll().orderBy("id").execute(),
    saveContents: (tx: Tx, { digest, sbom, files }: ContentsRow) =>
      within(tx)
        .insertInto("services.contents")
        .values({ digest, sbom: (sbom === null ? null : JSON.stringify(sbom)) as never, files })
        .onConflict((conflict) => conflict.column("digest").doUpdateSet({ files }))
        .execute(),
    contents: (digest: string) =>
      db.selectFrom("services.contents").selectAll().where("digest", "=", digest).executeTakeFirst(),
    forgetFiles: (digests: string[]) =>
      db
        .updateTable("services.contents")
        .set({ files: null })
        .where("digest", "in", digests.length > 0 ? digests : [""])
        .where("files", "is not", null)
        .execute(),
    /** Releases that serve, are on trial, or have instances. */
    releasesInPlace: async (): Promise<string[]> => (await inPlace(db).execute()).map((each) => each.id),
    /** Says that their files go; not of those that are in place. Answers whose do. */
    markCollected: async (tx: Tx, ids: string[], now: Date): Promise<string[]> => {
      if (ids.length === 0) return [];
      const rows = await within(tx)
        .updateTable("services.releases")
        .set({ collected_at: now })
        .where("id", "in", ids)
        .where("id", "not in", inPlace(within(tx)))
        .returning("id")
        .execute();
      return rows.map((each) => each.id);
    },
    /** Digests that only collected releases have. */
    digestsCollected: async (): Promise<string[]> => {
      const digests = db.selectFrom("services.releases").select("digest");
      const held = digests.where("collected_at", "is", null);
      const rows = await digests.where("collected_at", "is not", null).except(held).execute();
      return rows.map((each) => each.digest);
    },
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
          scale: JSON.stringify({}) as never,
          maintenance_retry_after_ms: null,
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
    /** In its transaction, so that two who switch at once do not both believe they changed it. */
    lockService: (tx: Tx, target: Target) =>
      within(tx)
        .selectFrom("services.services")
        .selectAll()
        .where("name", "=", target.service)
        .where("environment", "=", target.environment)
        .forUpdate()
        .executeTakeFirst(),
    updateService: (target: Target, patch: Partial<ServiceRow>, tx?: Tx) =>
      (tx ? within(tx) : db)
        .updateTable("services.services")
        .set(patch)
        .where("name", "=", target.service)
        .where("environment", "=", target.environment)
        .execute(),
    setScale: (target: Target, scale: Record<string, number>, now: Date) =>
      db
        .updateTable("services.services")
        .set({ scale: JSON.stringify(scale) as never, updated_at: now })
        .where("name", "=", target.service)
        .where("environment", "=", target.environment)
        .execute(),
    /** Adds what is not there yet and removes the rest, at once. */
    replaceInstances: ({ insert, remove = null, surplus = [] }: Replacement) =>
      db.transaction().execute(async (tx) => {
        if (remove) {
          const all = tx.deleteFrom("services.instances").where("release", "=", remove.release);
          await (remove.processes ? all.where("process", "in", remove.processes) : all).execute();
        }
        for (const { release, process, count } of surplus) {
          await tx
            .deleteFrom("services.instances")
            .where("release", "=", release)
            .where("process", "=", process)
            .where("ordinal", ">=", count)
            .execute();
        }
        if (insert.length === 0) return;
        await tx
          .insertInto("services.instances")
          .values(insert)
          .onConflict((conflict) => conflict.columns(["release", "process", "ordinal"]).doNothing())
          .execute();
      }),
    instancesOf: (release: string) =>
      db
        .selectFrom("services.instances")
        .selectAll()
        .where("release", "=", release)
        .orderBy("process")
        .orderBy("ordinal")
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
