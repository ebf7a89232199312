import { auditResource, page, platformResource, type PlatformResource } from "@mainstay/api";
import { z } from "zod";
import type { Audit } from "./core/audit/index.ts";
import type { Http } from "./kernel/http/index.ts";

export interface PlatformRoutesDependencies {
  platform(): Promise<PlatformResource>;
  audit: Audit;
}

const LIMIT_MAX = 200;

/** What concerns the whole house rather than one room. */
export function addPlatformRoutes(http: Http, { platform, audit }: PlatformRoutesDependencies): void {
  http.route({
    method: "GET",
    url: "/api/v1/platform",
    permission: "platform.read",
    summary: "Whether the platform is well",
    response: platformResource,
    handler: () => platform(),
  });
  http.route({
    method: "GET",
    url: "/api/v1/audit",
    permission: "audit.read",
    summary: "Every change of state: who, what, why, newest first",
    query: z.object({
      service: z.string().optional(),
      change: z.string().optional(),
      limit: z.coerce.number().int().min(1).max(LIMIT_MAX).default(50),
      cursor: z.string().optional().describe("the `next` of the page before"),
    }),
    response: page(auditResource),
    handler: async ({ query }) => {
      const { service, change, limit, cursor } = query;
      const { entries, cursor: next } = await audit.list({ cursor, limit, filter: { service, change } });
      return { items: entries, next };
    },
  });
}
