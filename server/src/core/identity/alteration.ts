import { AppError, isPermission, permissionsOfRole, type Subject } from "@mainstay/api";
import type { Clock } from "../../kernel/clock.ts";
import type { Database, Tx } from "../../kernel/database/index.ts";
import {
  describeScope,
  type Authenticated,
  type Can,
  type Origin,
  type Scope,
} from "../../kernel/http/index.ts";
import type { Ids } from "../../kernel/ids.ts";
import type { Audit } from "../audit/index.ts";
import { isBuiltIn, type AccessBook } from "./access-book.ts";
import type { AccessStore, GrantRow } from "./access-store.ts";

/** What everybody needs who alters who may do what. */
export interface AccessDependencies {
  db: Database;
  clock: Clock;
  ids: Ids;
  audit: Audit;
  store: AccessStore;
  book: AccessBook;
}

/** Somebody who alters it, with what they may do themselves. */
export interface By {
  origin: Origin;
  can: Can;
}

/** Whoever sent a request, as somebody who alters who may do what. */
export function byOf({ can }: Pick<Authenticated, "can">, origin: Origin): By {
  return { origin, can };
}

/**
 * Alters who may do what, in one transaction with its audit rows, one alteration at a time over all servers. When
 * it answers, this server goes by it; the others do as soon as they have heard of it.
 */
export async function alter<Result>(
  { db, store, book }: AccessDependencies,
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  const result = await db.transaction().execute(async (tx) => {
    await store.alter(tx);
    return work(tx);
  });
  await book.refresh();
  return result;
}

/** Throws GRANT_EXCEEDS unless somebody may do all of it themselves. */
export function demandHeld(can: Can, permissions: Iterable<string>, scope: Scope): void {
  const known: readonly string[] = [...permissions];
  const missing = known.filter((name) => !holds(can, name, scope));
  if (missing.length === 0) return;
  throw new AppError("GRANT_EXCEEDS", { permissions: missing.join(", "), scope: describeScope(scope) });
}

function holds(can: Can, name: string, { environment, service }: Scope): boolean {
  return isPermission(name) && can(name, { environment, service });
}

/** The permissions of a role as the transaction sees it. Throws NOT_FOUND. */
export async function permissionsIn(store: AccessStore, tx: Tx, role: string): Promise<readonly string[]> {
  if (isBuiltIn(role)) return permissionsOfRole(role);
  const row = await store.role(tx, role);
  if (!row) throw new AppError("NOT_FOUND", { what: `role ${role}` });
  return row.permissions;
}

/** Throws GRANT_EXCEEDS unless somebody may do all that a grant permits. */
export async function demandGrantHeld(
  store: AccessStore,
  tx: Tx,
  { grant, can }: { grant: GrantRow; can: Can },
) {
  const permissions = grant.permissions ?? (await permissionsIn(store, tx, grant.role ?? ""));
  demandHeld(can, permissions, grant);
}

/** Throws LAST_ADMIN when the transaction leaves nobody who may administer the whole platform. */
export async function assertAdminRemains(store: AccessStore, tx: Tx): Promise<void> {
  await store.alter(tx);
  const { people, keys, granted } = await store.admins(tx);
  const remains = people > 0 || (granted === 0 && keys > 0);
  if (!remains) throw new AppError("LAST_ADMIN");
}

/** "user:usr_1" */
export function nameOf({ type, id }: Subject): string {
  return `${type}:${id}`;
}
