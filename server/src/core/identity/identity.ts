import type { IdentityConfig, SecretSource } from "@mainstay/api";
import type { Authenticate } from "../../kernel/http/index.ts";
import type { Metrics } from "../../kernel/metrics.ts";
import { createAccess, type Access, type AccessRoomDependencies } from "./access.ts";
import { createAccounts, type Accounts } from "./accounts/accounts.ts";
import { accessPortOf } from "./accounts/access-port.ts";
import type { GeoSource } from "./accounts/login.ts";
import type { Argon2Cost } from "./domain/password-hash.ts";
import type { PasswordCheck } from "./accounts/strength.ts";
import { firstOf } from "./bearer.ts";
import type { Sealer } from "../secrets/index.ts";
import { createHoldsRole, type HoldsRole } from "./holds-role.ts";

export interface IdentityDependencies extends AccessRoomDependencies {
  dataDirectory: string;
  metrics: Pick<Metrics, "counter">;
  config: IdentityConfig;
  /** Where browsers find this server. */
  publicUrl: string;
  /** The host that is reached over HTTPS alone; null without one. */
  publicHost: string | null;
  sealer: Sealer;
  readSecret: (source: SecretSource) => Promise<string>;
  /** See AccountsDependencies. */
  passwordChecks?: readonly PasswordCheck[];
  passwordCost?: Argon2Cost;
  geo?: GeoSource;
}

export interface Identity {
  access: Access;
  accounts: Accounts;
  /** Whether somebody holds a role there; answered by what they may do. */
  holdsRole: HoldsRole;
  /**
   * Who sent the request. Null without a credential; throws UNAUTHENTICATED that says what is wrong with one.
   */
  authenticate: Authenticate;
}

/** Who may use the platform. */
export function createIdentity(dependencies: IdentityDependencies): Identity {
  const access = createAccess(dependencies);
  const accounts = createAccounts({ ...dependencies, access: accessPortOf(access) });
  return {
    access,
    accounts,
    holdsRole: createHoldsRole(access.shared),
    authenticate: firstOf(accounts.authenticate, access.authenticateKey),
  };
}
