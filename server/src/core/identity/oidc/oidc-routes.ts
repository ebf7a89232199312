import { z } from "zod";
import { reply, type Http } from "../../../kernel/http/index.ts";
import type { Visits } from "../accounts/visit.ts";
import type { People } from "../accounts/people.ts";
import { formatCookie, readCookie } from "../domain/cookies.ts";
import { PAGE_HEADERS } from "../page/page-routes.ts";
import type { Oidc } from "./oidc.ts";

const COOKIE = "mainstay_oidc";
const COOKIE_KEPT_MS = 5 * 60_000;
const DONE =
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>Mainstay</title><p>You are logged in.</p></html>';
const text = z.string().max(4096).optional();

export interface OidcRoutesParts {
  oidc: Oidc;
  people: People;
  visits: Visits;
}

/** To an identity provider and back. The cookie binds both halves to one browser. */
export function addOidcRoutes(http: Http, { oidc, people, visits }: OidcRoutesParts): void {
  const provider = z.object({ provider: z.string().max(41) });
  const route = { method: "GET", permission: "public", tags: ["login"], isSecretAnswer: true } as const;

  http.route({
    ...route,
    url: "/api/v1/login/oidc/:provider",
    summary: "Log in at an identity provider: leads the browser there",
    params: provider,
    response: z.undefined(),
    statuses: [303],
    async handler(request) {
      const visitor = visits.visitorOf(request, { transport: "cookie" });
      await visits.admit(request, visitor);
      const { url, token } = await oidc.begin(request.params.provider);
      const isSecure = visits.isSecure(request.headers);
      // Lax: the browser comes back from another site.
      const cookie = formatCookie({
        ...{ name: COOKIE, value: token, isSecure, maxAgeMs: COOKIE_KEPT_MS, sameSite: "Lax" },
      });
      return reply({ status: 303, headers: { location: url, "set-cookie": cookie }, body: undefined });
    },
  });
  http.route({
    ...route,
    url: "/api/v1/login/oidc/:provider/callback",
    summary: "Where the identity provider sends the browser back to",
    params: provider,
    query: z.object({ code: text, state: text, iss: text, error: text, error_description: text }),
    contentType: "text/html; charset=utf-8",
    response: z.string(),
    async handler(request) {
      const visitor = visits.visitorOf(request, { transport: "cookie" });
      await visits.admit(request, visitor);
      const isSecure = visits.isSecure(request.headers);
      const name = isSecure ? `__Host-${COOKIE}` : COOKIE;
      const token = readCookie(request.headers["cookie"], name) ?? "";
      const query = new URLSearchParams(definedOf(request.query)).toString();
      const entered = await oidc.finish({ name: request.params.provider, query, token }, visitor);
      const more = { user: await people.find(entered.user.id), key: null };
      const { headers } = visits.entered(request, entered, more);
      const gone = formatCookie({ name: COOKIE, value: "", isSecure, maxAgeMs: 0, sameSite: "Lax" });
      const cookies = [...(headers["set-cookie"] ?? []), gone];
      return reply({ status: 200, headers: { ...PAGE_HEADERS, "set-cookie": cookies }, body: DONE });
    },
  });
}

function definedOf(query: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
