import { problem, PROBLEM_CONTENT_TYPE } from "@mainstay/api";
import swagger from "@fastify/swagger";
import type { FastifyInstance, FastifySchema } from "fastify";
import { createJsonSchemaTransform } from "fastify-type-provider-zod";
import type { AnyRoute } from "./route.ts";

/** Makes the instance collect its routes into an OpenAPI 3.1 document; to be called before they are added. */
export async function collectOpenapi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Mainstay",
        version,
        description:
          "Errors are problem documents (RFC 9457). Every POST honours Idempotency-Key. Times are RFC 3339 in UTC.",
      },
      components: { securitySchemes: { key: { type: "http", scheme: "bearer" } } },
      security: [{ key: [] }],
    },
    transform: createJsonSchemaTransform({}),
  });
}

/** The route for the document; nothing is validated by it. */
export function describeRoute(route: AnyRoute): FastifySchema {
  const { params, query, body, response, statuses = [200], summary, tags = [tagOf(route.url)] } = route;
  const type = route.stream
    ? "application/x-ndjson"
    : (route.contentType?.split(";")[0] ?? "application/json");
  const success = { description: "Success", content: { [type]: { schema: response } } };
  const failure = {
    description: "Refused or failed",
    content: { [PROBLEM_CONTENT_TYPE]: { schema: problem } },
  };
  const responses = Object.fromEntries(statuses.map((status) => [status, success]));
  return {
    summary,
    tags,
    ...(params ? { params } : {}),
    ...(query ? { querystring: query } : {}),
    ...(body ? { body } : {}),
    response: { ...responses, default: failure },
    ...(route.permission === "public" ? { security: [] } : {}),
    ...{ "x-permission": route.permission },
  };
}

/** "/api/v1/changes/:id" → "changes" */
function tagOf(url: string): string {
  return url.split("/")[3] ?? "platform";
}
