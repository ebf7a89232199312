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
    notify: (tx: Tx) => sql`select pg_notify(${CHANNEL}, 'changed')`.execute(tx),
  };
}
export type SecretsStore = ReturnType<typeof createSecretsStore>;
