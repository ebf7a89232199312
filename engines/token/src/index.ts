export type { Claims, PublicJwk } from "./form.ts";
export { createSigningKey, SEED_BYTES, type SigningKey } from "./signing-key.ts";
export {
  createTokenVerifier,
  MAX_TOKEN_CHARACTERS,
  type TokenVerifier,
  type Verified,
} from "./verify-token.ts";
