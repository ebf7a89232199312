import type { Authenticate } from "../../kernel/http/index.ts";
import { createAccess, type Access, type AccessRoomDependencies } from "./access.ts";
import { ensureAdminKey } from "./admin-key.ts";
import { firstOf } from "./bearer.ts";
import { createHoldsRole, type HoldsRole } from "./holds-role.ts";

export interface IdentityDependencies extends AccessRoomDependencies {
  dataDirectory: string;
}

export interface Identity {
  access: Access;
  /**
   * Makes the admin key at the first start; see admin-key.ts. Answers it when it was made now, to be shown this once.
   */
  ensureAdminKey(): Promise<string | null>;
  /** Whether somebody holds a role there; answered by what they may do. */
  holdsRole: HoldsRole;
  /** Who sent the request. Null without a credential; throws UNAUTHENTICATED that says what is wrong with one. */
  authenticate: Authenticate;
}

/** Who may use the platform. */
export function createIdentity({ dataDirectory, ...dependencies }: IdentityDependencies): Identity {
  const access = createAccess(dependencies);
  const { shared, grants } = access;
  const { random } = dependencies;
  return {
    access,
    ensureAdminKey: () => ensureAdminKey({ ...shared, random, grants, dataDirectory }),
    holdsRole: createHoldsRole(shared),
    authenticate: firstOf(access.authenticateKey),
  };
}
