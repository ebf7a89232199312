import { keyResource, keyRotation, newKey, page, shownKey } from "@mainstay/api";
import { z } from "zod";
import { originOf, type Http } from "../../kernel/http/index.ts";
import type { Access } from "./access.ts";

const idParam = z.object({ id: z.string() });

/** API keys. To revoke one takes no second factor: it has to be quick. */
export function addKeysRoutes(http: Http, { keys }: Access): void {
  http.route({
    method: "GET",
    url: "/api/v1/keys",
    permission: "keys.read",
    scope: "somewhere",
    summary: "One's own API keys; with access.read on the whole platform all of them",
    response: page(keyResource),
    handler: async ({ authenticated }) => ({ items: await keys.list(authenticated), next: null }),
  });
  http.route({
    method: "POST",
    url: "/api/v1/keys",
    permission: "keys.write",
    scope: ({ body: { environment, service } }) => ({ environment, service }),
    stepUp: true,
    isSecretAnswer: true,
    summary: "Make an API key that may no more than whoever makes it; its secret is shown this once",
    body: newKey,
    response: shownKey,
    statuses: [201],
    handler: ({ body, ...request }) => keys.create(body, request.authenticated, originOf(request)),
  });
  http.route({
    method: "POST",
    url: "/api/v1/keys/:id/rotate",
    permission: "keys.write",
    scope: "somewhere",
    stepUp: true,
    isSecretAnswer: true,
    summary: "Give a key another secret, shown this once; those of others need access.write",
    params: idParam,
    body: keyRotation,
    response: shownKey,
    handler: async ({ params, body, ...request }) => {
      await keys.demandOwn(params.id, request.authenticated);
      await keys.demandNoWider(params.id, request.authenticated);
      return keys.rotate(params.id, body.overlapSeconds, originOf(request));
    },
  });
  http.route({
    method: "POST",
    url: "/api/v1/keys/:id/revoke",
    permission: "keys.write",
    scope: "somewhere",
    summary: "End a key at once; those of others need access.write",
    params: idParam,
    body: z.strictObject({}).prefault({}),
    response: keyResource,
    handler: async ({ params, ...request }) => {
      await keys.demandOwn(params.id, request.authenticated);
      return keys.revoke(params.id, originOf(request));
    },
  });
}
