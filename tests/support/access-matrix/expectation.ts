import { BUILT_IN_ROLES, PERMISSIONS, type BuiltInRole, type Permission } from "@mainstay/api";

/** A place in which something may be permitted; null: everywhere. */
export interface Place {
  environment: string | null;
  service: string | null;
}

/** Somebody who sends requests, and what was granted to them; null: their credential is worth nothing. */
export interface Asker {
  name: string;
  granted: { role: BuiltInRole | readonly Permission[]; place: Place } | null;
}

/** What comes of a request as far as access goes. */
export type Outcome = "unknown" | "refused" | "hidden" | "let in";

/** What a route is about. */
export type About =
  /** Answers everybody. */
  | { about: "public" }
  /** The whole platform. */
  | { about: "platform"; permission: Permission }
  /** Nothing in particular: whoever has the permission for anything at all. */
  | { about: "anything"; permission: Permission }
  /** A list of what one may see; unless it is empty, it holds something of every place. */
  | { about: "list"; permission: Permission; isEmpty: boolean }
  /** A place that the request names, or its files do. */
  | { about: "named"; permission: Permission }
  /** A thing that is looked up: it does not exist for those who may not read it. */
  | { about: "found"; permission: Permission; read: Permission }
  /** A key that belongs to somebody else: nobody's own but the administrators'. */
  | { about: "key of another"; permission: Permission }
  /** An upload of somebody else: not even administrators find it. */
  | { about: "upload of another"; permission: Permission };

export interface Item {
  environment?: string | null | undefined;
  service?: string | null | undefined;
}

const EVERYWHERE: Place = { environment: null, service: null };

/** What must come of it: worked out from the table of permissions and roles, not by the code under test. */
export function expectedOf({ granted }: Asker, route: About, target: Place): Outcome {
  if (route.about === "public") return "let in";
  if (granted === null) return "unknown";
  const { place } = granted;
  const has = (permission: Permission): boolean => holds(granted.role, permission);
  const may = (permission: Permission, where: Place): boolean => has(permission) && covers(place, where);
  const { permission } = route;
  if (!has(permission)) return "refused";
  switch (route.about) {
    case "platform":
      return may(permission, EVERYWHERE) ? "let in" : "refused";
    case "anything":
    case "list":
      return "let in";
    case "named":
      return may(permission, target) ? "let in" : "refused";
    case "found":
      if (may(permission, target)) return "let in";
      return may(route.read, target) ? "refused" : "hidden";
    case "key of another":
      if (may("access.write", EVERYWHERE)) return "let in";
      return may("access.read", EVERYWHERE) ? "refused" : "hidden";
    case "upload of another":
      return "hidden";
  }
}

/** Whether an item of a list may be seen by somebody. */
export function maySee({ granted }: Asker, permission: Permission, place: Place): boolean {
  return granted !== null && holds(granted.role, permission) && covers(granted.place, place);
}

function holds(role: BuiltInRole | readonly Permission[], permission: Permission): boolean {
  if (typeof role !== "string") return role.includes(permission);
  return BUILT_IN_ROLES.indexOf(PERMISSIONS[permission].from) <= BUILT_IN_ROLES.indexOf(role);
}

function covers(granted: Place, wanted: Place): boolean {
  const isIn = (one: string | null, other: string | null): boolean => one === null || one === other;
  return isIn(granted.environment, wanted.environment) && isIn(granted.service, wanted.service);
}
