import { sql, type JSONColumnType, type Selectable } from "kysely";
import type { Database, Tx } from "../../kernel/database/index.ts";
import type { Target } from "./store.ts";

type Tables = {
  "services.secret_versions": {
    id: string;
    service: string;
    environment: string;
    number: number;
    names: string[];
    changed: string[];
    sealed_values: Buffer;
    created_at: Date;
    created_by: JSONColumnType<{ type: string; id: string; name: string }>;
  };
  "services.releases": {
    id: string;
    service: string;
    environment: string;
    secrets_version: string | null;
    collected_at: Date | null;
  };
};
export type SecretVersionRow = Selectable<Tables["services.secret_versions"]>;

/** The SQL of the values of secrets. */
export function createSecretsStore(database: Database) {
  const db = database.withTables<Tables>();
  const within = (tx: Tx) => tx.withTables<Tables>();
  const of = ({ service, environment }: Target, tx?: Tx) =>
    (tx ? within(tx) : db)
      .selectFrom("services.secret_versions")
      .where("service", "=", service)
      .where("environment", "=", environment);

  return {
    /** One after the other for a service, so that each version has a number of its own. */
    lock: ({ service, environment }: Target, tx: Tx) =>
      sql`select pg_advisory_xact_lock(hashtextextended(${`secrets ${environment}/${service}`}, 0))`.execute(
        tx,
      ),
    version: (id: string) =>
      db.selectFrom("services.secret_versions").selectAll().where("id", "=", id).executeTakeFirst(),
    latest: (target: Target, tx?: Tx) =>
      of(target, tx).selectAll().orderBy("number", "desc").limit(1).executeTakeFirst(),
    /** Newest first, without the values. */
    versions: (target: Target) =>
      of(target)
        .select(["id", "number", "names", "changed", "created_at", "created_by"])
        .orderBy("number", "desc")
        .execute(),
    /** False when it is there already. */
    async insert(tx: Tx, row: Omit<SecretVersionRow, "number">): Promise<boolean> {
      const last = await of(row, tx)
        .select(({ fn }) => fn.max("number").as("number"))
        .executeTakeFirst();
      const result = await within(tx)
        .insertInto("services.secret_versions")
        .values({
          ...row,
          number: (last?.number ?? 0) + 1,
          created_by: JSON.stringify(row.created_by),
        })
        .onConflict((conflict) => conflict.column("id").doNothing())
        .executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    },
    /** Releases by the version they use. */
    users: ({ service, environment }: Target) =>
      db
        .selectFrom("services.releases")
        .select(["id", "secrets_version"])
        .where("service", "=", service)
        .where("environment", "=", environment)
        .where("secrets_version", "is not", null)
        .orderBy("id")
        .execute(),
    /** Releases from before the values were kept here. */
    adopt: (tx: Tx, { service, environment }: Target, version: string) =>
      within(tx)
        .updateTable("services.releases")
        .set({ secrets_version: version })
        .where("service", "=", service)
        .where("environment", "=", environment)
        .where("secrets_version", "is", null)
        .execute(),
    /** Deletes versions older than the newest ones that no release with files names. */
    prune: (tx: Tx, { service, environment }: Target, keep: number) =>
      sql`delete from services.secret_versions v
           where service = ${service} and environment = ${environment}
             and number <= (select max(number) - ${keep} from services.secret_versions
                             where service = ${service} and environment = ${environment})
             and not exists (select from services.releases
                              where secrets_version = v.id and collected_at is null)`.execute(tx),
  };
}
export type SecretsStore = ReturnType<typeof createSecretsStore>;
