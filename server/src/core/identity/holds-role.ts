import { isPermission, permissionsOfRole, type Subject } from "@mainstay/api";
import type { Actor, Scope } from "../../kernel/http/index.ts";
import { isBuiltIn, type AccessBook, type AccessPage } from "./access-book.ts";

/** Whether somebody holds a role where something is. */
export type HoldsRole = (actor: Actor, role: string, scope: Scope) => Promise<boolean>;

/**
 * A role is held by whoever may do there all that the role permits, by grants, teams or a wider role;
 * by a key only if it may do so itself. Nobody holds a role that permits nothing or does not exist.
 */
export function createHoldsRole({ book }: { book: Pick<AccessBook, "page"> }): HoldsRole {
  return async ({ type, id }, role, { environment, service }) => {
    if (!isSubject(type)) return false;
    const page = await book.page();
    const permissions = permissionsOf(page, role);
    const can = page.canOf({ type, id });
    return permissions.length > 0 && permissions.every((each) => can(each, { environment, service }));
  };
}

function permissionsOf({ roles }: AccessPage, role: string) {
  if (isBuiltIn(role)) return permissionsOfRole(role);
  return (roles.find(({ name }) => name === role)?.permissions ?? []).filter(isPermission);
}

function isSubject(type: string): type is Subject["type"] {
  return type === "user" || type === "key";
}
