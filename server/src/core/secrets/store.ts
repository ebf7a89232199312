import { sql, type JSONColumnType, type Selectable } from "kysely";
import type { Database, Tx } from "../../kernel/database/index.ts";

export const KEY_STATES = ["incoming", "active", "outgoing", "closed", "retired"] as const;
export type KeyState = (typeof KEY_STATES)[number];

/** Where a rotation goes on: in this column, behind this row. */
export interface RotationPosition {
  column: string;
  row: string | null;
}

export type RotationKind = "wrapping-key" | "data-keys";
export type RotationPhase = "sharing" | "working" | "closing" | "finished";

type Tables = {
  "secrets.keys": {
    id: string;
    state: KeyState;
    lock: string | null;
    sealed_key: Buffer | null;
    created_at: Date;
  };
  /** pg hands bigint out as text. */
  "secrets.vault": { generation: string | number; least_generation: string | number };
  "secrets.servers": {
    id: string;
    key_ids: string[];
    active_key: string;
    generation: string | number;
    seen_at: Date;
  };
  "secrets.rotations": {
    id: string;
    kind: RotationKind;
    phase: RotationPhase;
    position: JSONColumnType<RotationPosition> | null;
    objects: number;
    counts: JSONColumnType<Record<string, number>>;
    new_key: string | null;
    generation: string | number | null;
    requested_by: JSONColumnType<{ type: string; id: string; name: string }>;
    started_at: Date;
    updated_at: Date;
    finished_at: Date | null;
    outcome: string | null;
  };
};
export type KeyRow = Selectable<Tables["secrets.keys"]>;
export type ServerRow = Selectable<Tables["secrets.servers"]>;
export type RotationRow = Selectable<Tables["secrets.rotations"]>;

/** What a server says of itself. */
export interface Presence {
  id: string;
  keyIds: string[];
  activeKey: string;
  generation: number;
}

export interface RotationPatch {
  phase?: RotationPhase;
  position?: RotationPosition | null;
  counts?: Record<string, number>;
  updated_at: Date;
  finished_at?: Date;
  outcome?: string;
}

/** Rung whenever keys or generation change. */
export const CHANNEL = "secrets_keys";
const OPENING = "secrets: keys";

/** All SQL of the room on its own tables. */
export function createSecretsStore(database: Database) {
  const db = database.withTables<Tables>();
  const within = (tx: Tx) => tx.withTables<Tables>();
  return {
    /** Nobody else begins with a key, or alters what is known of keys, until the transaction has ended. */
    lockKeys: (tx: Tx) => sql`select pg_advisory_xact_lock(hashtext(${OPENING}))`.execute(tx),
    keys: (tx?: Tx) =>
      (tx ? within(tx) : db).selectFrom("secrets.keys").selectAll().orderBy("created_at").execute(),
    insertKey: (tx: Tx, row: KeyRow) => within(tx).insertInto("secrets.keys").values(row).execute(),
    vault: async (tx?: Tx) => {
      const row = await (tx ? within(tx) : db)
        .selectFrom("secrets.vault")
        .selectAll()
        .executeTakeFirstOrThrow();
      return { generation: Number(row.generation), leastGeneration: Number(row.least_generation) };
    },
    /** Of every key in one state, another. */
    moveKeys: (tx: Tx, from: KeyState, to: KeyState) =>
      within(tx).updateTable("secrets.keys").set({ state: to }).where("state", "=", from).execute(),
    forgetHandovers: (tx: Tx) => within(tx).updateTable("secrets.keys").set({ sealed_key: null }).execute(),
    setVault: (tx: Tx, patch: { generation?: number; least_generation?: number }) =>
      within(tx).updateTable("secrets.vault").set(patch).execute(),

    /** What this server has, now by the database's clock; servers that are long gone are forgotten. */
    beat: async ({ id, keyIds, activeKey, generation }: Presence): Promise<void> => {
      await sql`insert into secrets.servers (id, key_ids, active_key, generation, seen_at)
                values (${id}, ${keyIds}, ${activeKey}, ${generation}, now())
                on conflict (id) do update set key_ids = excluded.key_ids, active_key = excluded.active_key,
                  generation = excluded.generation, seen_at = excluded.seen_at`.execute(db);
      await sql`delete from secrets.servers where seen_at < now() - interval '1 hour'`.execute(db);
    },
    leave: (id: string) => db.deleteFrom("secrets.servers").where("id", "=", id).execute(),
    /** Those that were heard within this time. */
    servers: (withinMs: number) =>
      db
        .selectFrom("secrets.servers")
        .selectAll()
        .where("seen_at", ">", sql<Date>`now() - make_interval(secs => ${withinMs / 1000})`)
        .execute(),

    insertRotation: (tx: Tx, row: RotationRow) =>
      within(tx)
        .insertInto("secrets.rotations")
        .values({
          ...row,
          position: null,
          counts: JSON.stringify(row.counts),
          requested_by: JSON.stringify(row.requested_by),
        })
        .execute(),
    /** The one that has not finished. */
    openRotation: (tx?: Tx) =>
      (tx ? within(tx) : db)
        .selectFrom("secrets.rotations")
        .selectAll()
        .where("finished_at", "is", null)
        .executeTakeFirst(),
    lastRotation: () =>
      db.selectFrom("secrets.rotations").selectAll().orderBy("id", "desc").limit(1).executeTakeFirst(),
    rotation: (id: string) =>
      db.selectFrom("secrets.rotations").selectAll().where("id", "=", id).executeTakeFirst(),
    updateRotation: (id: string, patch: RotationPatch, tx?: Tx) => {
      const { position, counts, ...rest } = patch;
      return (tx ? within(tx) : db)
        .updateTable("secrets.rotations")
        .set({
          ...rest,
          ...(position === undefined ? {} : { position: position && JSON.stringify(position) }),
          ...(counts === undefined ? {} : { counts: JSON.stringify(counts) }),
        })
        .where("id", "=", id)
        .where("finished_at", "is", null)
        .execute();
    },
    notify: (tx: Tx) => sql`select pg_notify(${CHANNEL}, 'changed')`.execute(tx),
  };
}
export type SecretsStore = ReturnType<typeof createSecretsStore>;
