import { AppError, isPermission, type GrantResource, type Subject } from "@mainstay/api";
import type { Tx } from "../../kernel/database/index.ts";
import type { FoundScope, Origin, Scope } from "../../kernel/http/index.ts";
import { grantedBy, type AccessPage } from "./access-book.ts";
import type { GrantRow } from "./access-store.ts";
import {
  alter,
  assertAdminRemains,
  demandGrantHeld,
  demandHeld,
  nameOf,
  permissionsIn,
  type AccessDependencies,
  type By,
} from "./alteration.ts";

const GRANTS_MAX = 10_000;

/** What is to be granted; without a scope everywhere. */
export interface NewGrant extends Partial<Scope> {
  subject: Subject;
  role: string;
}

export interface GrantFilter {
  subjectType?: Subject["type"] | undefined;
  subject?: string | undefined;
  role?: string | undefined;
}

export type Grants = ReturnType<typeof createGrants>;

/** Who has which role where. Nobody grants, or takes away, what they may not do themselves. */
export function createGrants(dependencies: AccessDependencies) {
  const { store, book, audit, clock, ids } = dependencies;

  /** Those that one may see. */
  async function list(filter: GrantFilter, by: Pick<By, "can">): Promise<GrantResource[]> {
    const page = await book.page();
    const rows = page.grants.filter((row) => isMeant(row, filter) && by.can("access.read", row));
    return rows.map((row) => toGrant(page, row));
  }

  /** Grants in the transaction of the caller, who has seen to it that it is permitted. */
  async function insert(tx: Tx, wish: NewGrant, origin: Origin): Promise<GrantRow> {
    const { subject, role, environment = null, service = null } = wish;
    await store.alter(tx);
    const present = await store.grantsOf(tx, subject.type, subject.id);
    const isSame = (row: GrantRow): boolean =>
      row.role === role && row.environment === environment && row.service === service;
    if (present.some(isSame))
      throw new AppError("ACCESS_EXISTS", { what: `this grant to ${nameOf(subject)}` });
    const count = await store.countGrants(tx);
    if (count >= GRANTS_MAX) throw new AppError("ACCESS_LIMIT", { count, what: "grants" });
    const row: GrantRow = {
      ...{ id: ids.next("grt"), subject_type: subject.type, subject_id: subject.id, role, permissions: null },
      ...{ environment, service, created_at: clock.now(), created_by: origin.actor },
    };
    await store.insertGrant(tx, row);
    await audit.record(tx, { ...origin, ...auditOf(row), action: "identity.granted", after: outlineOf(row) });
    return row;
  }

  async function add(wish: NewGrant, by: By): Promise<GrantResource> {
    const { subject, role, environment = null, service = null } = wish;
    const row = await alter(dependencies, async (tx) => {
      demandHeld(by.can, await permissionsIn(store, tx, role), { environment, service });
      await demandSubject(tx, subject);
      return insert(tx, wish, by.origin);
    });
    return toGrant(await book.page(), row);
  }

  /** Users are known to others; a team or a key must be there. */
  async function demandSubject(tx: Tx, { type, id }: Subject): Promise<void> {
    const found = type === "user" ? {} : type === "team" ? await store.team(tx, id) : await store.key(tx, id);
    if (!found || ("revoked_at" in found && found.revoked_at !== null))
      throw new AppError("NOT_FOUND", { what: `${type} ${id}` });
  }

  async function remove(id: string, by: By): Promise<GrantResource> {
    const row = await alter(dependencies, async (tx) => {
      const found = await store.grant(tx, id);
      if (!found) throw new AppError("NOT_FOUND", { what: `grant ${id}` });
      await demandGrantHeld(store, tx, { grant: found, can: by.can });
      await store.removeGrant(tx, id);
      if (found.role === "admin") await assertAdminRemains(store, tx);
      const before = outlineOf(found);
      await audit.record(tx, { ...by.origin, ...auditOf(found), action: "identity.grant_removed", before });
      return found;
    });
    return toGrant(await book.page(), row);
  }

  async function scopeOf(id: string): Promise<FoundScope> {
    const row = (await book.page()).grants.find((each) => each.id === id);
    const what = `grant ${id}`;
    if (!row) throw new AppError("NOT_FOUND", { what });
    return { environment: row.environment, service: row.service, what, read: "access.read" };
  }

  return { list, insert, add, remove, scopeOf };
}

/** A grant as it goes over the wire. */
function toGrant(page: Pick<AccessPage, "roles">, row: GrantRow): GrantResource {
  const { id, subject_type: type, subject_id, role, environment, service, created_at, created_by } = row;
  return {
    ...{ id, subject: { type, id: subject_id }, role, environment, service },
    permissions: grantedBy(page, row).filter(isPermission),
    ...{ createdAt: created_at.toISOString(), createdBy: created_by },
  };
}

function isMeant(row: GrantRow, { subjectType, subject, role }: GrantFilter): boolean {
  return (
    (subjectType === undefined || row.subject_type === subjectType) &&
    (subject === undefined || row.subject_id === subject) &&
    (role === undefined || row.role === role)
  );
}

function outlineOf({ subject_type, subject_id, role, permissions, environment, service }: GrantRow) {
  const subject = nameOf({ type: subject_type, id: subject_id });
  return { subject, environment, service, ...(role === null ? { permissions } : { role }) };
}

function auditOf({ id, environment, service }: GrantRow) {
  return { resource: { type: "grant", id }, environment, service };
}
