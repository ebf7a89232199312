export { createIdentity, type Identity, type IdentityDependencies } from "./identity.ts";
export type { Access } from "./access.ts";
export { addAccessRoutes } from "./access-routes.ts";
export { addKeysRoutes } from "./keys-routes.ts";
