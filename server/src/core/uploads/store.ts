import type { Selectable } from "kysely";
import type { Database } from "../../kernel/database/index.ts";

type Tables = {
  "uploads.uploads": {
    id: string;
    /** pg hands bigint out as text. */
    size_bytes: string;
    sha256: string;
    created_at: Date;
    created_by: { type: string; id: string; name: string };
    expires_at: Date;
  };
};
export type UploadRow = Selectable<Tables["uploads.uploads"]>;

/** All SQL of the room. */
export function createUploadsStore(database: Database) {
  const db = database.withTables<Tables>();
  const all = () => db.selectFrom("uploads.uploads").selectAll();
  return {
    insert: (row: UploadRow) => db.insertInto("uploads.uploads").values(row).execute(),
    upload: (id: string) => all().where("id", "=", id).executeTakeFirst(),
    /** Those that have not expired. */
    open: (now: Date) => all().where("expires_at", ">", now).orderBy("id").execute(),
    expired: (now: Date) => all().where("expires_at", "<=", now).execute(),
    prolong: (id: string, expiresAt: Date) =>
      db.updateTable("uploads.uploads").set({ expires_at: expiresAt }).where("id", "=", id).execute(),
    remove: (id: string) => db.deleteFrom("uploads.uploads").where("id", "=", id).execute(),
  };
}
