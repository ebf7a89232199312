import {
  collectionResource,
  collectReleases,
  newRelease,
  page,
  promotion,
  releaseDiffResource,
  releaseResource,
} from "@mainstay/api";
import { z } from "zod";
import { originOf, type Http } from "../../kernel/http/index.ts";
import { sbomDocument } from "./domain/sbom.ts";
import { toRelease } from "./resources.ts";
import type { Collect } from "./collector.ts";
import type { Services } from "./services.ts";

const idParam = z.object({ id: z.string() });
const LIMIT_MAX = 200;

export interface ReleasesRoutesDependencies {
  services: Services;
  collect: Collect;
}

export function addReleasesRoutes(http: Http, { services, collect }: ReleasesRoutesDependencies): void {
  http.route({
    method: "POST",
    url: "/api/v1/releases",
    permission: "releases.write",
    summary: "Register a directory, an uploaded archive or known content as an immutable release",
    body: newRelease,
    response: releaseResource,
    handler: async ({ body, ...request }) =>
      toRelease(await services.registerRelease(body, originOf(request))),
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
    url: "/api/v1/releases/collect",
    permission: "releases.write",
    summary: "Remove the files of releases that nobody needs; the rows stay",
    body: collectReleases,
    response: collectionResource,
    handler: async ({ body, ...request }) => {
      const { removed, ...rest } = await collect(body, originOf(request));
      return { ...rest, removed: removed.map(toRelease) };
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
    handler: async ({ params, body, ...request }) =>
      toRelease(await services.promoteRelease(params.id, body, originOf(request))),
  });

  addReadingOne(http, services);
}

function addReadingOne(http: Http, services: Services): void {
  http.route({
    method: "GET",
    url: "/api/v1/releases/:id",
    permission: "releases.read",
    summary: "One release",
    params: idParam,
    response: releaseResource,
    handler: async ({ params }) => toRelease(await services.release(params.id)),
  });

  http.route({
    method: "GET",
    url: "/api/v1/releases/:id/sbom",
    permission: "releases.read",
    summary: "What a release is made of, as CycloneDX 1.6",
    params: idParam,
    response: sbomDocument,
    handler: async ({ params }) => services.sbom(params.id),
  });

  http.route({
    method: "GET",
    url: "/api/v1/releases/:id/diff",
    permission: "releases.read",
    summary: "What is different from another release: packages, names of variables, numbers of files",
    params: idParam,
    query: z.object({ from: z.string().describe("the release it is compared with") }),
    response: releaseDiffResource,
    handler: async ({ params, query }) => {
      const found = await services.diff(query.from, params.id);
      return { from: query.from, to: params.id, ...found };
    },
  });
}
