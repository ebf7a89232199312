import { isPermission, type Permission } from "@mainstay/api";
import type { Can, Scope } from "../../../kernel/http/index.ts";

/** Permissions that hold in one scope. */
export interface Right extends Scope {
  permissions: Iterable<string>;
}

/** A key of the scope's own, which no name can hit by chance: names hold no line break. */
function slotOf(environment: string | null, service: string | null): string {
  return `${environment ?? "\n"}/${service ?? "\n"}`;
}

/**
 * Rights as sets, so that a question costs at most four look-ups. A right for a wider scope covers a narrower one,
 * never the other way round: who may do something in staging alone may not do it everywhere. Names of permissions
 * that this version does not know count for nothing.
 */
export function compileRights(rights: Iterable<Right>): Can {
  const held = new Map<string, Set<Permission>>();
  const somewhere = new Set<Permission>();
  for (const { environment, service, permissions } of rights) {
    const slot = slotOf(environment, service);
    const set = held.get(slot) ?? new Set<Permission>();
    for (const permission of permissions) {
      if (!isPermission(permission)) continue;
      set.add(permission);
      somewhere.add(permission);
    }
    held.set(slot, set);
  }

  return (permission, scope) => {
    if (scope === "somewhere") return somewhere.has(permission);
    if (!somewhere.has(permission)) return false;
    const { environment = null, service = null } = scope ?? {};
    const has = (inEnvironment: string | null, ofService: string | null): boolean =>
      held.get(slotOf(inEnvironment, ofService))?.has(permission) ?? false;
    return (
      has(null, null) ||
      (environment !== null && has(environment, null)) ||
      (service !== null && has(null, service)) ||
      (environment !== null && service !== null && has(environment, service))
    );
  };
}

/** What both sides permit: for each pair the narrower scope, where there is one, and the common permissions. */
export function intersectRights(left: readonly Right[], right: readonly Right[]): Right[] {
  return left.flatMap((one) =>
    right.flatMap((other) => {
      const environment = narrower(one.environment, other.environment);
      const service = narrower(one.service, other.service);
      if (environment === undefined || service === undefined) return [];
      const permissions = new Set(one.permissions).intersection(new Set(other.permissions));
      return [{ environment, service, permissions }];
    }),
  );
}

/** Undefined: nothing is in both. */
function narrower(one: string | null, other: string | null): string | null | undefined {
  if (one === null || one === other) return other;
  return other === null ? one : undefined;
}
