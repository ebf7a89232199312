import { AppError, remoteWriteList } from "@mainstay/api";
import type { Http } from "../../../kernel/http/index.ts";
import { MetricsError, type MetricsStore } from "../metrics-store.ts";

/** GET /api/v1/metrics/remote-write: where samples are sent on to, and how that goes. */
export function addRemoteWriteRoutes(
  http: Http,
  { store }: { store: Pick<MetricsStore, "remoteWrites"> },
): void {
  http.route({
    method: "GET",
    url: "/api/v1/metrics/remote-write",
    permission: "metrics.read",
    tags: ["metrics"],
    summary: "Where samples are sent on to, and how that goes",
    response: remoteWriteList,
    handler: async () => {
      try {
        return { items: [...(await store.remoteWrites())] };
      } catch (error) {
        if (!(error instanceof MetricsError)) throw error;
        throw new AppError("METRICS_UNAVAILABLE", { reason: error.message }, { cause: error });
      }
    },
  });
}
