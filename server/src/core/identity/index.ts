export { createIdentity, type Identity, type IdentityDependencies } from "./identity.ts";
export type { Access } from "./access.ts";
export { addAccessRoutes } from "./access-routes.ts";
export { addKeysRoutes } from "./keys-routes.ts";
export type { Accounts } from "./accounts/accounts.ts";
export type { GeoSource } from "./accounts/login.ts";
export { SEALED_FACTORS } from "./factors/factors.ts";
