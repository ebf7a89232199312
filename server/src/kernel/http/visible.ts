import type { Permission } from "@mainstay/api";
import type { Authenticated, FoundScope, Scope } from "./authority.ts";

type Reader = Pick<Authenticated, "can">;

/** How many pages are looked through for what somebody may see before the answer goes on at a cursor. */
const PAGES_MAX = 20;

/** The scope of a row that was looked up by its id, for a route that names the permission to read it. */
export function foundAt({ environment, service }: Scope, what: string, read: Permission): FoundScope {
  return { environment, service, what, read };
}

export interface Pages<Row> {
  limit: number;
  cursor: string | undefined;
  read(cursor: string | undefined): Promise<Row[]>;
  cursorOf(row: Row): string;
}

/**
 * A page of the rows that somebody may see. What they may not see is passed over, for some pages at most; `next` is
 * where to go on, null at the end.
 */
export async function readVisible<Row extends Scope>(
  { can }: Reader,
  permission: Permission,
  { limit, cursor, read, cursorOf }: Pages<Row>,
): Promise<{ rows: Row[]; next: string | null }> {
  const rows: Row[] = [];
  let from = cursor;
  for (let count = 0; count < PAGES_MAX; count += 1) {
    const page = await read(from);
    for (const row of page) {
      from = cursorOf(row);
      if (can(permission, { environment: row.environment, service: row.service })) rows.push(row);
      if (rows.length === limit) return { rows, next: from };
    }
    if (page.length < limit) return { rows, next: null };
  }
  return { rows, next: from ?? null };
}

/** Those that somebody may see. */
export function onlyVisible<Row extends Scope>(
  { can }: Reader,
  permission: Permission,
  rows: readonly Row[],
): Row[] {
  return rows.filter(({ environment, service }) => can(permission, { environment, service }));
}
