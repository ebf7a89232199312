/** What a token says; times in seconds since 1970 (RFC 7519, section 4.1). */
export interface Claims {
  iss: string;
  aud: string;
  sub: string;
  jti: string;
  iat: number;
  nbf: number;
  exp: number;
  [name: string]: unknown;
}

/** A public key as others read it: RFC 8037, section 2. */
export interface PublicJwk {
  kty: "OKP";
  crv: "Ed25519";
  x: string;
  /** RFC 7638: of the key itself, so that one name never stands for two keys. */
  kid: string;
  alg: "EdDSA";
  use: "sig";
}

/**
 * RFC 9068, section 2.1: a token that lets its holder in, and nothing else that is signed with such a key.
 */
export const TOKEN_TYPE = "at+jwt";
