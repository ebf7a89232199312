import {
  instanceResource,
  newRelease,
  page,
  promotion,
  releaseResource,
  serviceResource,
  type InstanceResource,
  type ObservedInstance,
} from "@mainstay/api";
import { z } from "zod";
import type { Http } from "../../kernel/http/index.ts";
import { toInstance, toRelease, toService, type ObservedInstances } from "./resources.ts";
import type { Services } from "./services.ts";

const idParam = z.object({ id: z.string() });
const LIMIT_MAX = 200;

export interface ServicesRoutesDependencies {
  services: Services;
  /** What the agent sees of the instances right now. */
  observed(): ObservedInstance[];
  /** An instance's log, line by line. */
  logs(id: string, options: { tail: number; follow: boolean; signal: AbortSignal }): AsyncIterable<string>;
}

export function addServicesRoutes(
  http: Http,
  { services, observed, logs }: ServicesRoutesDependencies,
): void {
  addReleasesRoutes(http, services);
  http.route({
    method: "GET",
    url: "/api/v1/services",
    permission: "services.read",
    summary: "Every service with what serves and what is on trial",
    response: page(serviceResource),
    handler: async () => {
      const [rows, instances] = await Promise.all([services.list(), instancesNow()]);
      const ids = rows
        .flatMap((row) => [row.stable_release, row.candidate_release])
        .filter((id) => id !== null);
      const releases = await services.releasesById(ids);
      const byId = new Map(releases.map((each) => [each.id, each]));
      return { items: rows.map((row) => toService(row, byId, instances)), next: null };
    },
  });

  http.route({
    method: "GET",
    url: "/api/v1/instances",
    permission: "services.read",
    summary: "Every instance that ought to run, and how it does",
    response: page(instanceResource),
    handler: async () => ({ items: await instancesNow(), next: null }),
  });

  http.route({
    method: "GET",
    url: "/api/v1/instances/:id/logs",
    permission: "services.read",
    summary: "What an instance wrote to standard output and error",
    params: idParam,
    query: z.object({
      tail: z.coerce.number().int().min(0).max(10_000).default(100).describe("lines from the end"),
      follow: z.enum(["0", "1"]).default("0"),
    }),
    stream: "ndjson",
    response: z.object({ line: z.string() }),
    handler: async ({ params, query, signal }) => {
      await services.instance(params.id);
      return asItems(logs(params.id, { tail: query.tail, follow: query.follow === "1", signal }));
    },
  });

  async function instancesNow(): Promise<InstanceResource[]> {
    const seen: ObservedInstances = new Map(observed().map((each) => [each.id, each]));
    return (await services.instances()).map((row) => toInstance(row, seen));
  }
}

function addReleasesRoutes(http: Http, services: Services): void {
  http.route({
    method: "POST",
    url: "/api/v1/releases",
    permission: "releases.write",
    summary: "Register a directory as an immutable release",
    body: newRelease,
    response: releaseResource,
    handler: async ({ body, actor, requestId, address }) =>
      toRelease(await services.registerRelease(body, { actor, requestId, address })),
  });

  http.route({
    method: "GET",
    url: "/api/v1/releases",
    permission: "releases.read",
    summary: "The latest releases, newest first",
    query: z.object({
      service: z.string().optional(),
      environment: z.string().optional(),
      limit: z.coerce.number().int().min(1).max(LIMIT_MAX).default(20),
      cursor: z.string().optional().describe("the `next` of the page before"),
    }),
    response: page(releaseResource),
    handler: async ({ query }) => {
      const rows = await services.releases(query, { before: query.cursor ?? null, limit: query.limit });
      return {
        items: rows.map(toRelease),
        next: rows.length === query.limit ? (rows.at(-1)?.id ?? null) : null,
      };
    },
  });

  http.route({
    method: "POST",
    url: "/api/v1/releases/:id/promote",
    permission: "releases.write",
    summary: "Register the same files as a release of another environment",
    params: idParam,
    body: promotion,
    response: releaseResource,
    handler: async ({ params, body, actor, requestId, address }) =>
      toRelease(await services.promoteRelease(params.id, body, { actor, requestId, address })),
  });

  http.route({
    method: "GET",
    url: "/api/v1/releases/:id",
    permission: "releases.read",
    summary: "One release",
    params: idParam,
    response: releaseResource,
    handler: async ({ params }) => toRelease(await services.release(params.id)),
  });
}

async function* asItems(lines: AsyncIterable<string>): AsyncIterable<{ line: string }> {
  for await (const line of lines) yield { line };
}
