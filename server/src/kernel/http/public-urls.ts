/**
 * The only addresses that answer whoever has shown nothing: a closed list, so that none is opened by mistake.
 */
export const PUBLIC_URLS: readonly string[] = [
  "/healthz",
  "/readyz",
  "/.well-known/jwks.json",
  "/setup",
  "/setup.css",
  "/setup.js",
  "/api/v1/links/look",
  "/api/v1/links/redeem",
  "/api/v1/login",
  "/api/v1/login/second-factor",
  "/api/v1/login/passkey",
  "/api/v1/login/passkey/options",
  "/api/v1/login/oidc/:provider",
  "/api/v1/login/oidc/:provider/callback",
  // The log holds neither personal data nor secrets; a setting opens it to everybody.
  "/audit/log/checkpoint",
  "/audit/log/tile/*",
  "/audit/log/vkey",
  // What comes in has to be signed by a log that the configuration names.
  "/audit/witness/add-checkpoint",
];
