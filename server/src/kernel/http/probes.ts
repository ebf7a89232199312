import { z } from "zod";
import type { Clock } from "../clock.ts";
import { withDeadline } from "../deadline.ts";
import type { Log } from "../log.ts";
import { METRICS_CONTENT_TYPE, type Metrics } from "../metrics.ts";
import { reply, type AnyRoute } from "./route.ts";


export interface ReadinessCheck {
  name: string;
  /** Throws when this part is not ready. */
  check: () => Promise<void> | void;
}

export interface ProbesOptions {
  clock: Clock;
  log: Log;
  metrics: Metrics;
  checks: readonly ReadinessCheck[];
  openapi: () => object;
}

const CHECK_TIMEOUT_MS = 2_000;
const TAGS = ["platform"];

/** What other machines ask: alive, ready, metrics, and the description of the API. */
export function probeRoutes(options: ProbesOptions): AnyRoute[] {
  return [healthz(), readyz(options), metricsRoute(options), openapiRoute(options)];
}

function healthz(): AnyRoute {
  return {
    method: "GET",
    url: "/healthz",
    permission: "public",
    summary: "Whether the process is alive",
    tags: TAGS,
    response: z.object({ status: z.literal("ok") }),
    handler: () => ({ status: "ok" }),
  };
}

const readiness = z.object({
  status: z.enum(["ready", "not-ready"]),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean() })),
});

function readyz({ checks, clock, log }: ProbesOptions): AnyRoute {
  async function run({ name, check }: ReadinessCheck): Promise<{ name: string; ok: boolean }> {
    try {
      await withDeadline({ clock, ms: CHECK_TIMEOUT_MS }, check());
      return { name, ok: true };
    } catch (error) {
      // Why is for the log: the answer is public.
      log.warn({ check: name, error }, "not ready");
      return { name, ok: false };
    }
  }

  return {
    method: "GET",
    url: "/readyz",
    permission: "public",
    summary: "Whether the server can do its work; 503 names the parts that cannot",
    tags: TAGS,
    response: readiness,
    statuses: [200, 503],
    async handler() {
      const results = await Promise.all(checks.map(run));
      if (results.every(({ ok }) => ok)) return { status: "ready", checks: results };
      return reply({ status: 503, body: { status: "not-ready", checks: results } });
    },
  };
}

function metricsRoute({ metrics }: ProbesOptions): AnyRoute {
  return {
    method: "GET",
    url: "/metrics",
    permission: "metrics.read",
    summary: "Metrics of the platform in the Prometheus text format",
    tags: TAGS,
    response: z.string(),
    contentType: METRICS_CONTENT_TYPE,
    handler: () => metrics.render(),
  };
}

function openapiRoute({ openapi }: ProbesOptions): AnyRoute {
  return {
    method: "GET",
    url: "/api/v1/openapi.json",
    permission: "api.read",
    scope: "somewhere",
    summary: "This document",
    tags: TAGS,
    response: z.looseObject({ openapi: z.string() }),
    handler: () => openapi(),
  };
}
