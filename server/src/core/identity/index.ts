export { createIdentity, type Identity, type IdentityDependencies } from "./identity.ts";
