import { AppError, capacityResource, formatDuration, parseDurationMs } from "@mainstay/api";
import { z } from "zod";
import type { Clock } from "../../kernel/clock.ts";
import type { Http } from "../../kernel/http/index.ts";
import { MetricsError, type MetricsStore } from "../metrics/index.ts";
import { readCapacity } from "./capacity.ts";

const SHORTEST_MS = 600_000;
const LONGEST_MS = 90 * 86_400_000;
const WINDOW = `expected a duration from ${formatDuration(SHORTEST_MS)} to ${formatDuration(LONGEST_MS)}`;

/** GET /api/v1/metrics/capacity: when disks are full. */
export function addCapacityRoutes(
  http: Http,
  { store, clock }: { store: Pick<MetricsStore, "query">; clock: Clock },
): void {
  http.route({
    method: "GET",
    url: "/api/v1/metrics/capacity",
    permission: "metrics.read",
    summary: "When each disk is full if it goes on like this",
    query: z.object({
      window: z
        .string()
        .default("6h")
        .transform((text) => parseDurationMs(text) ?? 0)
        .refine((ms) => ms >= SHORTEST_MS && ms <= LONGEST_MS, WINDOW)
        .describe("the past that is continued in a straight line"),
    }),
    response: capacityResource,
    handler: async ({ query }) => {
      const nowMs = clock.now().getTime();
      try {
        return await readCapacity(store, { nowMs, windowMs: query.window });
      } catch (error) {
        if (!(error instanceof MetricsError)) throw error;
        throw new AppError("METRICS_UNAVAILABLE", { reason: error.message }, { cause: error });
      }
    },
  });
}
