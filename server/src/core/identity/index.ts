export { createSigningKeys } from "./tokens/signing-keys.ts";
export { createTokens, type Tokens } from "./tokens/tokens.ts";
export { addTokensRoutes } from "./tokens/routes.ts";
export { createIdentity, type Identity, type IdentityDependencies } from "./identity.ts";
export type { Access } from "./access.ts";
export { addAccessRoutes } from "./access-routes.ts";
export { addKeysRoutes } from "./keys-routes.ts";
