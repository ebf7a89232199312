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
import { demand, foundAt, originOf, readVisible, type Http } from "../../kernel/http/index.ts";
import { sbomDocument } from "./domain/sbom.ts";
import { toRelease } from "./resources.ts";
import type { Collect } from "./collector.ts";
import type { Services } from "./services.ts";
import type { Target } from "./store.ts";

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
    scope: "somewhere",
    summary: "Register a directory, an uploaded archive or known content as an immutable release",
    body: newRelease,
    response: releaseResource,
    handler: async ({ body, ...request }) => {
      const permit = (target: Target) => demand(request.authenticated, "releases.write", target);
      return toRelease(await services.registerRelease({ ...body, permit }, originOf(request)));
    },
  });

  http.route({
    method: "GET",
    url: "/api/v1/releases",
    permission: "releases.read",
    scope: "somewhere",
    summary: "The latest releases, newest first",
    query: z.object({
      service: z.string().optional(),
      environment: z.string().optional(),
      limit: z.coerce.number().int().min(1).max(LIMIT_MAX).default(20),
      cursor: z.string().optional().describe("the `next` of the page before"),
    }),
    response: page(releaseResource),
    handler: async ({ query: { limit, cursor, ...target }, authenticated }) => {
      const { rows, next } = await readVisible(authenticated, "releases.read", {
        ...{ limit, cursor },
        read: (before) => services.releases(target, { before: before ?? null, limit }),
        cursorOf: ({ id }) => id,
      });
      return { items: rows.map(toRelease), next };
    },
  });

  http.route({
    method: "POST",
    url: "/api/v1/releases/collect",
    permission: "releases.collect",
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
    scope: async ({ params, body, authenticated }) => {
      const source = await services.release(params.id);
      demand(authenticated, "releases.read", foundAt(source, `release ${params.id}`, "releases.read"));
      return { service: source.service, environment: body.environment };
    },
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
  const find = async ({ params: { id } }: { params: { id: string } }) =>
    foundAt(await services.release(id), `release ${id}`, "releases.read");
  http.route({
    method: "GET",
    url: "/api/v1/releases/:id",
    permission: "releases.read",
    scope: find,
    summary: "One release",
    params: idParam,
    response: releaseResource,
    handler: async ({ params }) => toRelease(await services.release(params.id)),
  });

  http.route({
    method: "GET",
    url: "/api/v1/releases/:id/sbom",
    permission: "releases.read",
    scope: find,
    summary: "What a release is made of, as CycloneDX 1.6",
    params: idParam,
    response: sbomDocument,
    handler: async ({ params }) => services.sbom(params.id),
  });

  http.route({
    method: "GET",
    url: "/api/v1/releases/:id/diff",
    permission: "releases.read",
    scope: find,
    summary: "What is different from another release: packages, names of variables, numbers of files",
    params: idParam,
    query: z.object({ from: z.string().describe("the release it is compared with") }),
    response: releaseDiffResource,
    handler: async ({ params, query, authenticated }) => {
      demand(authenticated, "releases.read", await find({ params: { id: query.from } }));
      const found = await services.diff(query.from, params.id);
      return { from: query.from, to: params.id, ...found };
    },
  });
}
