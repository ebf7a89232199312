import { AppError, isPermission, type Permission, type RoleResource } from "@mainstay/api";
import { BUILT_IN, isBuiltIn } from "./access-book.ts";
import type { RoleRow } from "./access-store.ts";
import { alter, demandHeld, type AccessDependencies, type By } from "./alteration.ts";

const ROLES_MAX = 100;
const EVERYWHERE = { environment: null, service: null };

export type Roles = ReturnType<typeof createRoles>;

/** Roles: the built-in ones, and those made of permissions of the closed list. A role is never altered. */
export function createRoles(dependencies: AccessDependencies) {
  const { store, book, audit, clock } = dependencies;

  async function list(): Promise<RoleResource[]> {
    return [...BUILT_IN, ...(await book.page()).roles.map(toRole)];
  }

  async function show(name: string): Promise<RoleResource> {
    const role = (await list()).find((each) => each.name === name);
    if (!role) throw new AppError("NOT_FOUND", { what: `role ${name}` });
    return role;
  }

  /** Only of permissions that its maker has everywhere. */
  async function create(wish: { name: string; permissions: Permission[] }, by: By): Promise<RoleResource> {
    const { name } = wish;
    const permissions = [...new Set(wish.permissions)].toSorted();
    demandHeld(by.can, permissions, EVERYWHERE);
    const row: RoleRow = { name, permissions, created_at: clock.now(), created_by: by.origin.actor };
    await alter(dependencies, async (tx) => {
      if (isBuiltIn(name) || (await store.role(tx, name)))
        throw new AppError("ACCESS_EXISTS", { what: `role ${name}` });
      const count = await store.countRoles(tx);
      if (count >= ROLES_MAX) throw new AppError("ACCESS_LIMIT", { count, what: "roles" });
      await store.insertRole(tx, row);
      await audit.record(tx, {
        ...by.origin,
        action: "identity.role_created",
        resource: { type: "role", id: name },
        after: { permissions },
      });
    });
    return toRole(row);
  }

  /** Refused while somebody has it, so that nobody loses rights unseen. */
  async function remove(name: string, by: By): Promise<RoleResource> {
    if (isBuiltIn(name)) throw new AppError("ROLE_BUILT_IN", { role: name });
    return alter(dependencies, async (tx) => {
      const row = await store.role(tx, name);
      if (!row) throw new AppError("NOT_FOUND", { what: `role ${name}` });
      const count = await store.grantsOfRole(tx, name);
      if (count > 0) throw new AppError("ROLE_IN_USE", { role: name, count });
      await store.removeRole(tx, name);
      await audit.record(tx, {
        ...by.origin,
        action: "identity.role_removed",
        resource: { type: "role", id: name },
        before: { permissions: row.permissions },
      });
      return toRole(row);
    });
  }

  return { list, show, create, remove };
}

function toRole({ name, permissions, created_at, created_by }: RoleRow): RoleResource {
  return {
    ...{ name, isBuiltIn: false, permissions: permissions.filter(isPermission) },
    ...{ createdAt: created_at.toISOString(), createdBy: created_by },
  };
}
