import { buildResource, newBuild, page, type BuildResource } from "@mainstay/api";
import { z } from "zod";
import { demand, foundAt, onlyVisible, originOf, type Http, type Scope } from "../../kernel/http/index.ts";
import { maskSecrets } from "../../kernel/redact.ts";
import type { Builds } from "./builds.ts";
import type { BuildRow } from "./store.ts";

const idParam = z.object({ id: z.string() });
const TAIL_LINES = 10_000;

export interface BuildsRoutesDependencies {
  builds: Builds;
  /** Tells the agent what ought to run now. Throws AGENT_UNREACHABLE. */
  sync(): Promise<unknown>;
  /** Looks for builds whose turn it is. */
  wake(): void;
  /** What a build has written so far. */
  outputOf(row: BuildRow): Promise<string>;
  /** What a running build writes, line by line. */
  logs(id: string, options: { tail: number; follow: boolean; signal: AbortSignal }): AsyncIterable<string>;
}

/** Builds: asked for, followed, ended. */
export function addBuildsRoutes(http: Http, dependencies: BuildsRoutesDependencies): void {
  const { builds, sync, wake, outputOf } = dependencies;
  http.route({
    method: "POST",
    url: "/api/v1/builds",
    permission: "builds.write",
    scope: "somewhere",
    summary: "Build a directory, an uploaded archive or a source that was built before into a release",
    body: newBuild,
    response: buildResource,
    statuses: [202],
    handler: async ({ body, ...request }) => {
      // What cannot start now must not start by surprise when the agent is back.
      await sync();
      const permit = (target: Scope) => demand(request.authenticated, "builds.write", target);
      const row = await builds.request({ ...body, permit }, originOf(request));
      wake();
      return toBuild(row);
    },
  });
  http.route({
    method: "POST",
    url: "/api/v1/builds/:id/stop",
    permission: "builds.write",
    scope: (request) => find(builds, request),
    summary: "End a build that waits or runs, and everything it started; nothing is registered",
    params: idParam,
    body: z.strictObject({}).prefault({}),
    response: buildResource,
    handler: async ({ params, ...request }) => {
      const row = await builds.build(params.id);
      if (row.finished_at === null) {
        const output = await outputOf(row);
        const end = {
          state: "stopped",
          exitCode: null,
          reason: `stopped by ${request.actor.name}`,
          output,
        } as const;
        await builds.fail(row, end, originOf(request));
      }
      await sync();
      return toBuild(await builds.build(params.id));
    },
  });
  addReading(http, dependencies);
}

function addReading(http: Http, { builds, logs }: BuildsRoutesDependencies): void {
  http.route({
    method: "GET",
    url: "/api/v1/builds",
    permission: "builds.read",
    scope: "somewhere",
    summary: "The latest builds, newest first",
    query: z.object({
      service: z.string().optional(),
      limit: z.coerce.number().int().min(1).max(200).default(20),
    }),
    response: page(buildResource),
    handler: async ({ query: { service, limit }, authenticated }) => {
      const rows = await builds.latest(service, limit);
      return { items: onlyVisible(authenticated, "builds.read", rows).map(toBuild), next: null };
    },
  });
  http.route({
    method: "GET",
    url: "/api/v1/builds/:id",
    permission: "builds.read",
    scope: (request) => find(builds, request),
    summary: "One build",
    params: idParam,
    response: buildResource,
    handler: async ({ params }) => toBuild(await builds.build(params.id)),
  });
  http.route({
    method: "GET",
    url: "/api/v1/builds/:id/output",
    permission: "builds.read",
    scope: (request) => find(builds, request),
    summary: "What a build writes, until it has ended; of one that has ended the end of what it wrote",
    params: idParam,
    stream: "ndjson",
    response: z.object({ line: z.string() }),
    handler: async ({ params, signal }) => {
      const row = await builds.build(params.id);
      if (row.finished_at !== null) return asItems(row.output === "" ? [] : row.output.split("\n"));
      return asItems(logs(row.id, { tail: TAIL_LINES, follow: true, signal }));
    },
  });
}

async function find(builds: Builds, { params: { id } }: { params: { id: string } }) {
  return foundAt(await builds.build(id), `build ${id}`, "builds.read");
}

async function* asItems(lines: AsyncIterable<string> | string[]): AsyncIterable<{ line: string }> {
  for await (const line of lines) yield { line: maskSecrets(line) };
}

function toBuild(row: BuildRow): BuildResource {
  const { id, service, environment, state, reuses, release, reason, output } = row;
  return {
    ...{ id, service, environment, state, reuses, release, reason, output },
    command: row.step.command,
    sourceDigest: row.source_digest,
    exitCode: row.exit_code,
    requestedBy: row.requested_by,
    createdAt: row.created_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    finishedAt: row.finished_at?.toISOString() ?? null,
  };
}
