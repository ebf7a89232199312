import { newRotation, rotationResource, sealingResource } from "@mainstay/api";
import { z } from "zod";
import type { Http } from "../../kernel/http/index.ts";
import type { Secrets } from "./secrets.ts";

/** The keys of what is sealed, without the keys, and their rotation. */
export function addSealingRoutes(http: Http, secrets: Secrets): void {
  http.route({
    method: "GET",
    url: "/api/v1/secrets",
    permission: "secrets.read",
    summary: "How much is sealed with which key, and how far a rotation is",
    response: sealingResource,
    handler: () => secrets.status(),
  });
  http.route({
    method: "POST",
    url: "/api/v1/secrets/rotations",
    permission: "secrets.rotate",
    stepUp: true,
    summary: "Begin a rotation of the wrapping key, or of every data key",
    body: newRotation,
    statuses: [202],
    response: rotationResource,
    handler: ({ body, actor, requestId, address }) => secrets.rotate(body, { actor, requestId, address }),
  });
  http.route({
    method: "GET",
    url: "/api/v1/secrets/rotations/:id",
    permission: "secrets.read",
    summary: "A rotation and how far it is",
    params: z.object({ id: z.string() }),
    response: rotationResource,
    handler: ({ params }) => secrets.rotation(params.id),
  });
}
