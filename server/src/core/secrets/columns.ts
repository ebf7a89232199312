import { buffer } from "node:stream/consumers";
import type { ByteStream, HeldObject, ReencryptStore, RewrapStore } from "@mainstay/vault";
import { sql } from "kysely";
import type { Database, Tx } from "../../kernel/database/index.ts";
import type { SealedPlace } from "./sealer.ts";

/**
 * A column of a room that holds what the sealer has sealed.
 * Each room names its own; compose.ts hands them over.
 */
export interface SealedColumn {
  /** With its schema. */
  table: string;
  /** A bytea named sealed_<what>; null where there is nothing. */
  column: string;
  /** The column that tells its rows apart. */
  key: string;
  /** The place that a row was sealed for, where that is not table, column and key. */
  at?: (row: string) => SealedPlace;
}

/** How many objects of a column are under a key and in a generation. */
export interface SealedCount {
  column: string;
  key: string;
  generation: number;
  objects: number;
}

export const nameOf = ({ table, column }: SealedColumn) => `${table}.${column}`;

/** The objects of a column for the vault's rotations: replaced only when they still are what was read. */
export function createColumnStore(db: Database, place: SealedColumn): RewrapStore & ReencryptStore {
  const { table, column, key, at } = place;
  const [from, sealed] = [sql.table(table), sql.ref(column)];
  const id = sql`${sql.ref(key)}::text collate "C"`;
  const contextOf = (row: string) => at?.(row) ?? [table, column, row];
  const toObject = (row: { id: string; sealed: Buffer }): HeldObject => ({
    ...{ id: row.id, head: row.sealed, context: contextOf(row.id) },
  });

  async function replace(was: HeldObject, bytes: Uint8Array): Promise<boolean> {
    const result = await sql`update ${from} set ${sealed} = ${bytes}
      where ${id} = ${was.id} and ${sealed} = ${was.head}`.execute(db);
    return result.numAffectedRows === 1n;
  }

  return {
    async next(after, limit) {
      const { rows } = await sql<{ id: string; sealed: Buffer }>`
        select ${id} as id, ${sealed} as sealed from ${from}
         where ${sealed} is not null and ${id} > ${after ?? ""} order by 1 limit ${limit}`.execute(db);
      return rows.map(toObject);
    },
    async read(row) {
      const { rows } = await sql<{ id: string; sealed: Buffer }>`
        select ${id} as id, ${sealed} as sealed from ${from}
         where ${id} = ${row} and ${sealed} is not null`.execute(db);
      return rows[0] ? toObject(rows[0]) : null;
    },
    // What is held is the whole object, and a rewrapped one is the whole again.
    replaceHead: replace,
    async *content(object): ByteStream {
      yield object.head;
    },
    replaceContent: async (was, content) => replace(was, await buffer(content)),
  };
}

/** Counts what is sealed, by column, key and generation, from the headers alone (docs/formats/vault.md). */
export async function countSealed(
  db: Database | Tx,
  columns: readonly SealedColumn[],
): Promise<SealedCount[]> {
  const counts: SealedCount[] = [];
  for (const place of columns) {
    const sealed = sql.ref(place.column);
    const { rows } = await sql<{ key: string; generation: string; objects: string }>`
      select encode(substring(${sealed} from 6 for 8), 'hex') as key,
             ('x' || encode(substring(${sealed} from 14 for 4), 'hex'))::bit(32)::bigint as generation,
             count(*) as objects
        from ${sql.table(place.table)} where ${sealed} is not null group by 1, 2`.execute(db);
    const column = nameOf(place);
    for (const { key, generation, objects } of rows)
      counts.push({ column, key, generation: Number(generation), objects: Number(objects) });
  }
  return counts;
}

/** Has the database refuse what is sealed with a key or generation that is over, once for each column. */
export async function guardColumns(tx: Tx, columns: readonly SealedColumn[]): Promise<void> {
  for (const { table, column } of columns) {
    const name = `guard_${column}`;
    const { rows } = await sql`select from pg_trigger
      where tgname = ${name} and tgrelid = ${table}::regclass`.execute(tx);
    if (rows.length > 0) continue;
    await sql`create trigger ${sql.ref(name)} before insert or update of ${sql.ref(column)}
      on ${sql.table(table)} for each row execute function secrets.guard(${sql.lit(column)})`.execute(tx);
  }
}
