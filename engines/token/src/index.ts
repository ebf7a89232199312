export { createSigningKey, SEED_BYTES, type PublicJwk, type SigningKey } from "./signing-key.ts";
export {
  createTokenVerifier,
  MAX_TOKEN_CHARACTERS,
  type Claims,
  type TokenVerifier,
  type Verified,
} from "./verify-token.ts";
