import { jwks, newToken, rotation, tokenResource } from "@mainstay/api";
import { z } from "zod";
import { originOf, reply, type Http } from "../../../kernel/http/index.ts";
import type { Tokens } from "./tokens.ts";

/** Long before a new key signs; and a revoked one is forgotten soon. */
const CACHED = { "cache-control": "public, max-age=300" };

export function addTokensRoutes(http: Http, tokens: Tokens): void {
  http.route({
    method: "POST",
    url: "/api/v1/tokens",
    permission: "api.read",
    scope: ({ body: { environment, service } }) => ({ environment, service }),
    summary: "A token of a few minutes that may read part of what you may, for connections that stay open",
    isSecretAnswer: true,
    body: newToken,
    response: tokenResource,
    handler: ({ body, authenticated }) => tokens.issue(body, authenticated),
  });
  http.route({
    method: "POST",
    url: "/api/v1/tokens/rotate",
    permission: "access.write",
    stepUp: true,
    summary: "Sign with a new key from now on; with revoke no token made before is accepted any more",
    body: rotation,
    response: z.object({ keys: z.int().describe("that tokens are verified with now") }),
    async handler({ body, ...request }) {
      await tokens.rotate(body, originOf(request));
      return { keys: tokens.jwks().keys.length };
    },
  });
  http.route({
    method: "GET",
    url: "/.well-known/jwks.json",
    permission: "public",
    summary: "The keys with which this platform's tokens are verified (RFC 7517)",
    tags: ["tokens"],
    response: jwks,
    contentType: "application/jwk-set+json",
    handler: () => reply({ status: 200, headers: CACHED, body: tokens.jwks() }),
  });
}
