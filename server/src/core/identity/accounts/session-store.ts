import type { Database, Tx } from "../../../kernel/database/index.ts";
import type { Place } from "../domain/risk.ts";

export type Transport = "cookie" | "bearer";

type Tables = {
  "identity.sessions": {
    id: string;
    user_id: string;
    hash: Buffer;
    transport: Transport;
    methods: string[];
    address: string;
    agent: string;
    created_at: Date;
    last_used_at: Date;
    expires_at: Date;
    stepped_up_at: Date | null;
  };
  "identity.devices": { id: string; user_id: string; hash: Buffer; last_used_at: Date };
  "identity.logins": {
    user_id: string;
    at: Date;
    device: string | null;
    network: string;
    agent: string;
    place: string | null;
  };
  "identity.users": { id: string; name: string; email: string; state: string };
};
export type SessionRow = Tables["identity.sessions"];
export type DeviceRow = Tables["identity.devices"];
export interface LoginRow extends Omit<Tables["identity.logins"], "place"> {
  place: Place | null;
}

const HISTORY = 200;

export type SessionStore = ReturnType<typeof createSessionStore>;

/** SQL of sessions, of the devices they came from, and of the logins that made them. */
export function createSessionStore(database: Database) {
  const db = database.withTables<Tables>();
  const within = (tx: Tx) => tx.withTables<Tables>();
  return {
    insert: (tx: Tx, row: SessionRow) => within(tx).insertInto("identity.sessions").values(row).execute(),
    /** With the user it belongs to, if that one is active. */
    byHash: (hash: Buffer) =>
      db
        .selectFrom("identity.sessions as s")
        .innerJoin("identity.users as u", "u.id", "s.user_id")
        .selectAll("s")
        .select(["u.name as user_name", "u.email as user_email"])
        .where("s.hash", "=", hash)
        .where("u.state", "=", "active")
        .executeTakeFirst(),
    ofUser: (userId: string) =>
      db
        .selectFrom("identity.sessions")
        .selectAll()
        .where("user_id", "=", userId)
        .orderBy("last_used_at", "desc")
        .execute(),
    noteUse: (id: string, use: { at: Date; address: string }) =>
      db
        .updateTable("identity.sessions")
        .set({ last_used_at: use.at, address: use.address })
        .where("id", "=", id)
        .execute(),
    /** The same session under another token. */
    rotate: (tx: Tx, id: string, change: Partial<Pick<SessionRow, "hash" | "stepped_up_at">>) =>
      within(tx).updateTable("identity.sessions").set(change).where("id", "=", id).returning("id").executeTakeFirst(),
    delete: (tx: Tx, { userId, id }: { userId: string; id: string }) =>
      within(tx)
        .deleteFrom("identity.sessions")
        .where("user_id", "=", userId)
        .where("id", "=", id)
        .returning("id")
        .executeTakeFirst(),
    /** All of a user, or all but one; answers their ids. */
    deleteAll: (tx: Tx, userId: string, except: string | null = null) => {
      const all = within(tx).deleteFrom("identity.sessions").where("user_id", "=", userId);
      return (except === null ? all : all.where("id", "!=", except)).returning("id").execute();
    },
    purge: (now: Date, unusedSince: Date) =>
      db
        .deleteFrom("identity.sessions")
        .where((row) => row.or([row("expires_at", "<=", now), row("last_used_at", "<=", unusedSince)]))
        .execute(),

    device: (hash: Buffer) =>
      db.selectFrom("identity.devices").selectAll().where("hash", "=", hash).executeTakeFirst(),
    insertDevice: (tx: Tx, row: DeviceRow) => within(tx).insertInto("identity.devices").values(row).execute(),
    noteDevice: (tx: Tx, id: string, at: Date) =>
      within(tx).updateTable("identity.devices").set({ last_used_at: at }).where("id", "=", id).execute(),
    deleteDevices: (tx: Tx, userId: string) =>
      within(tx).deleteFrom("identity.devices").where("user_id", "=", userId).execute(),
    purgeDevices: (unusedSince: Date) =>
      db.deleteFrom("identity.devices").where("last_used_at", "<=", unusedSince).execute(),

    insertLogin: (tx: Tx, { place, ...row }: LoginRow) =>
      within(tx)
        .insertInto("identity.logins")
        .values({ ...row, place: place === null ? null : JSON.stringify(place) })
        .execute(),
    /** Newest first. */
    logins: async (userId: string): Promise<LoginRow[]> => {
      const rows = await db
        .selectFrom("identity.logins")
        .selectAll()
        .where("user_id", "=", userId)
        .orderBy("at", "desc")
        .limit(HISTORY)
        .execute();
      return rows.map((row) => ({ ...row, place: placeOf(row.place) }));
    },
    purgeLogins: (before: Date) => db.deleteFrom("identity.logins").where("at", "<=", before).execute(),
  };
}

/** jsonb comes back as an object, whatever type it went in as. */
function placeOf(value: unknown): Place | null {
  if (typeof value !== "object" || value === null) return null;
  if (!("latitude" in value) || !("longitude" in value)) return null;
  return { latitude: Number(value.latitude), longitude: Number(value.longitude) };
}
