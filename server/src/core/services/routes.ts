import {
  instanceResource,
  maintenanceOrder,
  page,
  serviceResource,
  type InstanceResource,
  type ObservedInstance,
  type ServiceResource,
} from "@mainstay/api";
import { z } from "zod";
import { demand, foundAt, onlyVisible, originOf, type Http } from "../../kernel/http/index.ts";
import { toInstance, toService, type ObservedInstances } from "./resources.ts";
import type { Services } from "./services.ts";
import type { ServiceRow } from "./store.ts";

const idParam = z.object({ id: z.string() });

interface LogQuery {
  tail: number;
  follow: boolean;
  sinceMs: number | undefined;
  signal: AbortSignal;
}

export interface ServicesRoutesDependencies {
  services: Services;
  /** What the agent sees of the instances right now. */
  observed(): ObservedInstance[];
  /** Tells the agent what has changed. Throws AGENT_UNREACHABLE; it is told again once it is back. */
  sync(): Promise<unknown>;
  /** An instance's log, line by line. */
  logs(id: string, options: LogQuery): AsyncIterable<string>;
}

export function addServicesRoutes(
  http: Http,
  { services, observed, sync, logs }: ServicesRoutesDependencies,
): void {
  http.route({
    method: "GET",
    url: "/api/v1/services",
    permission: "services.read",
    scope: "somewhere",
    summary: "Every service with what serves and what is on trial",
    response: page(serviceResource),
    handler: async ({ authenticated }) => {
      const rows = (await services.list()).map((row) => ({ ...row, service: row.name }));
      const items = await resourcesOf(onlyVisible(authenticated, "services.read", rows));
      return { items, next: null };
    },
  });

  http.route({
    method: "POST",
    url: "/api/v1/services/:service/maintenance",
    permission: "services.write",
    scope: ({ params, body }) => ({ service: params.service, environment: body.environment }),
    summary: "Turn a service's maintenance page on or off",
    params: z.object({ service: z.string() }),
    body: maintenanceOrder,
    response: serviceResource,
    handler: async ({ params, body, ...request }) => {
      const target = { service: params.service, environment: body.environment };
      const retryAfterMs = body.on ? body.retryAfterSeconds * 1000 : null;
      const origin = originOf(request);
      const row = await services.setMaintenance(target, { retryAfterMs, reason: body.reason }, origin);
      await sync();
      const [resource] = await resourcesOf([row]);
      if (!resource) throw new Error("a row has become no resource");
      return resource;
    },
  });

  http.route({
    method: "GET",
    url: "/api/v1/instances",
    permission: "services.read",
    scope: "somewhere",
    summary: "Every instance that ought to run, and how it does",
    response: page(instanceResource),
    handler: async ({ authenticated }) => ({
      items: onlyVisible(authenticated, "services.read", await instancesNow()),
      next: null,
    }),
  });

  http.route({
    method: "GET",
    url: "/api/v1/instances/:id/logs",
    permission: "services.read",
    scope: async ({ params }) =>
      foundAt(await services.logged(params.id), `instance ${params.id}`, "services.read"),
    summary: "What an instance wrote to standard output and error",
    params: idParam,
    query: z.object({
      tail: z.coerce.number().int().min(0).max(10_000).default(100).describe("lines from the end"),
      follow: z.enum(["0", "1"]).default("0"),
      since: z.iso.datetime().optional().describe("only what was written after it; exact to ten seconds"),
    }),
    stream: "ndjson",
    response: z.object({ line: z.string() }),
    handler: async ({ params, query, authenticated, signal }) => {
      const row = await services.logged(params.id);
      if (row.isTask)
        demand(authenticated, "tasks.read", foundAt(row, `instance ${params.id}`, "tasks.read"));
      const redact = await services.createRedactor(row.release);
      if (row.output !== null) return asItems(lastLines(row.output, query.tail), redact);
      const sinceMs = query.since === undefined ? undefined : Date.parse(query.since);
      const wish = { tail: query.tail, follow: query.follow === "1", sinceMs, signal };
      return asItems(logs(params.id, wish), redact);
    },
  });

  async function resourcesOf(rows: ServiceRow[]): Promise<ServiceResource[]> {
    const ids = rows
      .flatMap((row) => [row.stable_release, row.candidate_release])
      .filter((id) => id !== null);
    const [releases, instances] = await Promise.all([services.releasesById(ids), instancesNow()]);
    const byId = new Map(releases.map((each) => [each.id, each]));
    return rows.map((row) => toService(row, byId, instances));
  }

  async function instancesNow(): Promise<InstanceResource[]> {
    const seen: ObservedInstances = new Map(observed().map((each) => [each.id, each]));
    return (await services.instances()).map((row) => toInstance(row, seen));
  }
}

async function* asItems(
  lines: AsyncIterable<string> | string[],
  redact: (line: string) => string,
): AsyncIterable<{ line: string }> {
  for await (const line of lines) yield { line: redact(line) };
}

function lastLines(text: string, count: number): string[] {
  return text === "" || count === 0 ? [] : text.split("\n").slice(-count);
}
