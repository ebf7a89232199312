import { sql, type Selectable } from "kysely";
import type { Database, Tx } from "../../kernel/database/index.ts";
import type { Actor } from "../../kernel/http/index.ts";

/** A user or a team that a key may not outdo. */
export interface Owner {
  type: "user" | "team";
  id: string;
}

type Tables = {
  "identity.roles": { name: string; permissions: string[]; created_at: Date; created_by: Actor };
  "identity.teams": { name: string; created_at: Date; created_by: Actor };
  "identity.team_members": { team: string; user_id: string; added_at: Date };
  "identity.suspended_users": { user_id: string; since: Date };
  "identity.grants": {
    id: string;
    subject_type: "user" | "team" | "key";
    subject_id: string;
    role: string | null;
    permissions: string[] | null;
    environment: string | null;
    service: string | null;
    created_at: Date;
    created_by: Actor;
  };
  "identity.api_keys": {
    id: string;
    name: string;
    hash: Buffer;
    owner: Owner | null;
    created_at: Date;
    created_by: Actor;
    expires_at: Date | null;
    allowed_addresses: string[];
    step_up_exempt: boolean;
    revoked_at: Date | null;
    previous_hash: Buffer | null;
    previous_until: Date | null;
    last_used_at: Date | null;
    last_used_from: string | null;
  };
};
export type RoleRow = Selectable<Tables["identity.roles"]>;
export type TeamRow = Selectable<Tables["identity.teams"]>;
export type MemberRow = Selectable<Tables["identity.team_members"]>;
export type GrantRow = Selectable<Tables["identity.grants"]>;
export type KeyRow = Selectable<Tables["identity.api_keys"]>;

export const ACCESS_CHANNEL = "identity_access_changed";
/** Any number that nothing else locks: the bytes of "acce". */
const LOCK = 0x61636365;

export type AccessStore = ReturnType<typeof createAccessStore>;

/** All SQL about who may do what. */
export function createAccessStore(database: Database) {
  const db = database.withTables<Tables>();
  const within = (tx: Tx) => tx.withTables<Tables>();
  return {
    /** One alteration at a time, and every server hears of it when it is committed. */
    alter: async (tx: Tx): Promise<void> => {
      await sql`select pg_advisory_xact_lock(${LOCK}), pg_notify(${ACCESS_CHANNEL}, '')`.execute(tx);
    },

    /** Everything, as it stands at one moment. */
    load: () =>
      db
        .transaction()
        .setIsolationLevel("repeatable read")
        .setAccessMode("read only")
        .execute(async (tx) => ({
          roles: await tx.selectFrom("identity.roles").selectAll().orderBy("name").execute(),
          teams: await tx.selectFrom("identity.teams").selectAll().orderBy("name").execute(),
          members: await tx.selectFrom("identity.team_members").selectAll().orderBy("user_id").execute(),
          suspended: await tx.selectFrom("identity.suspended_users").select("user_id").execute(),
          grants: await tx.selectFrom("identity.grants").selectAll().orderBy("created_at").execute(),
          keys: await tx.selectFrom("identity.api_keys").selectAll().orderBy("created_at").execute(),
        })),

    insertRole: (tx: Tx, row: RoleRow) => within(tx).insertInto("identity.roles").values(row).execute(),
    removeRole: (tx: Tx, name: string) =>
      within(tx).deleteFrom("identity.roles").where("name", "=", name).execute(),
    role: (tx: Tx, name: string) =>
      within(tx).selectFrom("identity.roles").selectAll().where("name", "=", name).executeTakeFirst(),
    countRoles: (tx: Tx) => countOf(tx, "identity.roles"),

    insertTeam: (tx: Tx, row: TeamRow) => within(tx).insertInto("identity.teams").values(row).execute(),
    removeTeam: (tx: Tx, name: string) =>
      within(tx).deleteFrom("identity.teams").where("name", "=", name).execute(),
    team: (tx: Tx, name: string) =>
      within(tx).selectFrom("identity.teams").selectAll().where("name", "=", name).executeTakeFirst(),
    countTeams: (tx: Tx) => countOf(tx, "identity.teams"),
    insertMember: (tx: Tx, row: MemberRow) =>
      within(tx).insertInto("identity.team_members").values(row).execute(),
    /** Answers how many were removed. */
    removeMembers: async (tx: Tx, filter: { team?: string; user_id: string }): Promise<number> => {
      const { team, user_id: user } = filter;
      let removal = within(tx).deleteFrom("identity.team_members").where("user_id", "=", user);
      if (team !== undefined) removal = removal.where("team", "=", team);
      return Number((await removal.executeTakeFirst()).numDeletedRows);
    },
    members: (tx: Tx, team: string) =>
      within(tx).selectFrom("identity.team_members").selectAll().where("team", "=", team).execute(),

    insertGrant: (tx: Tx, row: GrantRow) => within(tx).insertInto("identity.grants").values(row).execute(),
    removeGrant: (tx: Tx, id: string) =>
      within(tx).deleteFrom("identity.grants").where("id", "=", id).execute(),
    removeGrantsOf: (tx: Tx, type: GrantRow["subject_type"], id: string) =>
      within(tx)
        .deleteFrom("identity.grants")
        .where("subject_type", "=", type)
        .where("subject_id", "=", id)
        .execute(),
    grant: (tx: Tx, id: string) =>
      within(tx).selectFrom("identity.grants").selectAll().where("id", "=", id).executeTakeFirst(),
    grantsOf: (tx: Tx, type: GrantRow["subject_type"], id: string) =>
      within(tx)
        .selectFrom("identity.grants")
        .selectAll()
        .where("subject_type", "=", type)
        .where("subject_id", "=", id)
        .execute(),
    countGrants: (tx: Tx) => countOf(tx, "identity.grants"),
    grantsOfRole: async (tx: Tx, role: string): Promise<number> => {
      const rows = await within(tx)
        .selectFrom("identity.grants")
        .select("id")
        .where("role", "=", role)
        .execute();
      return rows.length;
    },

    suspend: (tx: Tx, row: Selectable<Tables["identity.suspended_users"]>) =>
      within(tx)
        .insertInto("identity.suspended_users")
        .values(row)
        .onConflict((conflict) => conflict.doNothing())
        .execute(),
    resume: (tx: Tx, user: string) =>
      within(tx).deleteFrom("identity.suspended_users").where("user_id", "=", user).execute(),

    insertKey: (tx: Tx, row: KeyRow) => within(tx).insertInto("identity.api_keys").values(row).execute(),
    updateKey: (tx: Tx, id: string, patch: Partial<KeyRow>) =>
      within(tx).updateTable("identity.api_keys").set(patch).where("id", "=", id).execute(),
    key: (tx: Tx, id: string) =>
      within(tx).selectFrom("identity.api_keys").selectAll().where("id", "=", id).executeTakeFirst(),
    keysNamed: (tx: Tx, name: string) =>
      within(tx)
        .selectFrom("identity.api_keys")
        .select(["id", "revoked_at"])
        .where("name", "=", name)
        .execute(),
    keysOwnedBy: async (tx: Tx, { type, id }: Owner) => {
      const rows = await within(tx)
        .selectFrom("identity.api_keys")
        .select(["id", "owner"])
        .where("revoked_at", "is", null)
        .execute();
      return rows.filter(({ owner }) => owner?.type === type && owner.id === id).map((row) => row.id);
    },
    countKeys: (tx: Tx) => countOf(tx, "identity.api_keys"),

    /** When and from where keys were used last, in one statement for all of them. */
    noteUse: (uses: { id: string; at: Date; from: string }[]) =>
      sql`update identity.api_keys k set last_used_at = u.at, last_used_from = u.source
        from unnest(${uses.map(({ id }) => id)}::text[],
          ${uses.map(({ at }) => at.toISOString())}::timestamptz[],
          ${uses.map(({ from }) => from)}::text[]) as u (id, at, source)
        where k.id = u.id`.execute(db),

    /** Who may administer the whole platform; see `assertAdminRemains`. */
    admins: async (tx: Tx): Promise<{ people: number; keys: number; granted: number }> => {
      const { rows } = await sql<{ people: number; keys: number; granted: number }>`
        with people as (
          select subject_id as user_id, g.* from identity.grants g where subject_type = 'user'
          union all
          select m.user_id, g.* from identity.grants g
            join identity.team_members m on g.subject_type = 'team' and m.team = g.subject_id
        )
        select
          (select count(*)::int from people where role = 'admin' and environment is null and service is null
            and user_id not in (select user_id from identity.suspended_users)) as people,
          (select count(*)::int from identity.grants g join identity.api_keys k
            on g.subject_type = 'key' and g.subject_id = k.id
            where g.role = 'admin' and g.environment is null and g.service is null
              and k.owner is null and k.revoked_at is null and k.expires_at is null) as keys,
          (select count(*)::int from people) as granted`.execute(tx);
      const [found] = rows;
      if (!found) throw new Error("a count has no row");
      return found;
    },
  };
}

async function countOf(tx: Tx, table: keyof Tables): Promise<number> {
  const { count } = await tx
    .withTables<Tables>()
    .selectFrom(table)
    .select(sql<string>`count(*)`.as("count"))
    .executeTakeFirstOrThrow();
  return Number(count);
}
