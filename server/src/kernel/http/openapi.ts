import { problem, PROBLEM_CONTENT_TYPE } from "@mainstay/api";
import swagger from "@fastify/swagger";
import type { FastifyInstance, FastifySchema } from "fastify";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";
import { z } from "zod";
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
    transform: jsonSchemaTransform,
    transformObject: (document) => withoutUnused(jsonSchemaTransformObject(document)),
  });
}

const FIRST_REFUSAL = 400;
const BYTES_IN_JSON = z.string().meta({ contentEncoding: "binary" });

/** The route for the document; nothing is validated by it. */
export function describeRoute(route: AnyRoute): FastifySchema {
  const { params, query, body, takes, statuses = [200] } = route;
  const response = route.bytes === undefined ? route.response : (route.holds ?? BYTES_IN_JSON);
  const { summary, tags = [tagOf(route.url)] } = route;
  const type = route.stream
    ? "application/x-ndjson"
    : (route.bytes ?? route.contentType?.split(";")[0] ?? "application/json");
  const success = { description: "Success", content: { [type]: { schema: response } } };
  const failure = {
    description: "Refused or failed",
    content: { [PROBLEM_CONTENT_TYPE]: { schema: problem } },
  };
  const refusal = { ...success, description: failure.description };
  const responses = Object.fromEntries(
    statuses.map((status) => [status, status < FIRST_REFUSAL ? success : refusal]),
  );
  return {
    operationId: operationIdOf(route),
    summary,
    tags,
    ...(params ? { params } : {}),
    ...(query ? { querystring: query } : {}),
    ...(body ? { body } : {}),
    ...(takes === undefined ? {} : { body: BYTES_IN_JSON, consumes: [...takes] }),
    response: { ...responses, default: failure },
    ...(route.permission === "public" ? { security: [] } : {}),
    ...{ "x-permission": route.permission },
  };
}

/** "POST /api/v1/changes/:id/promote-full" → "postChangesByIdPromoteFull" */
function operationIdOf({ method, url }: AnyRoute): string {
  const words = url
    .replace("/api/v1/", "/")
    .replaceAll("/:", "/by-")
    .split(/[^A-Za-z0-9]+/)
    .filter(Boolean);
  return method.toLowerCase() + words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join("");
}

/** "/api/v1/changes/:id" → "changes" */
function tagOf(url: string): string {
  return url.split("/")[3] ?? "platform";
}

interface OpenapiDocument {
  paths?: unknown;
  components?: { schemas?: Record<string, unknown> };
}

/**
 * Every schema with a name exists twice, as it comes in and as it goes out; those that no route needs are
 * left out.
 */
function withoutUnused<Document extends OpenapiDocument>(document: Document): Document {
  const schemas = document.components?.schemas ?? {};
  const used = new Set<string>();
  const follow = (part: unknown): void => {
    for (const [, name = ""] of JSON.stringify(part).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      if (used.has(name)) continue;
      used.add(name);
      follow(schemas[name]);
    }
  };
  follow(document.paths ?? {});
  const kept = Object.fromEntries(Object.entries(schemas).filter(([name]) => used.has(name)));
  return { ...document, components: { ...document.components, schemas: kept } };
}
