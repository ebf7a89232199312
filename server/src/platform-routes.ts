import {
  auditResource,
  page,
  platformResource,
  type PlatformConfig,
  type PlatformResource,
} from "@mainstay/api";
import { z } from "zod";
import type { Audit } from "./core/audit/index.ts";
import type { Changes } from "./core/changes/index.ts";
import type { AgentLink } from "./drivers/instances/index.ts";
import type { TrafficSampler } from "./drivers/traffic/index.ts";
import type { DatabaseHandle } from "./kernel/database/index.ts";
import type { Http } from "./kernel/http/index.ts";
import { VERSION } from "./version.ts";

export interface PlatformRoutesDependencies {
  config: PlatformConfig;
  database: Pick<DatabaseHandle, "description">;
  audit: Audit;
  changes: Pick<Changes, "list">;
  link: Pick<AgentLink, "observed">;
  sampler: Pick<TrafficSampler, "latest">;
}

const LIMIT_MAX = 200;

/** What concerns the whole house rather than one room. */
export function addPlatformRoutes(http: Http, dependencies: PlatformRoutesDependencies): void {
  http.route({
    method: "GET",
    url: "/api/v1/platform",
    permission: "platform.read",
    scope: "somewhere",
    summary: "Whether the platform is well",
    response: platformResource,
    handler: () => describePlatform(dependencies),
  });
  http.route({
    method: "GET",
    url: "/api/v1/audit",
    permission: "audit.read",
    scope: "somewhere",
    summary: "Every change of state: who, what, why, newest first",
    query: z.object({
      service: z.string().optional(),
      change: z.string().optional(),
      limit: z.coerce.number().int().min(1).max(LIMIT_MAX).default(50),
      cursor: z.string().optional().describe("the `next` of the page before"),
    }),
    response: page(auditResource),
    handler: async ({ query, authenticated }) => {
      const { service, change, limit, cursor } = query;
      const { entries, cursor: next } = await dependencies.audit.list({
        cursor,
        limit,
        filter: { service, change },
        reader: authenticated,
      });
      return { items: entries, next };
    },
  });
}

async function describePlatform(dependencies: PlatformRoutesDependencies): Promise<PlatformResource> {
  const { config, database, changes, link, sampler } = dependencies;
  const counters = sampler.latest();
  return {
    version: VERSION,
    pid: process.pid,
    dataPlane: `${config.proxy.host}:${config.proxy.port}`,
    database: database.description,
    agent: link.observed() ? "connected" : "lost",
    resourceLimits: link.observed()?.limits ?? null,
    pulls: link.observed()?.pulls ?? [],
    lost: counters?.lost ?? {},
    requests: (counters?.requests ?? []).reduce((total, each) => total + each.count, 0),
    changesActive: (await changes.list({ active: true, limit: 100 })).length,
  };
}
