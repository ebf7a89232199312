import type { Http } from "../../../kernel/http/index.ts";
import { addAdminRoutes, type AdminRoutesDependencies } from "./admin-routes.ts";
import type { MetricsRoom } from "../metrics.ts";
import { addOtlpRoutes } from "./otlp-routes.ts";
import { addPushRoutes } from "./push-routes.ts";
import { addQueryRoutes } from "./query-routes.ts";
import { addReadRoutes } from "./read-routes.ts";
import { addRemoteWriteRoutes } from "./remote-write-routes.ts";
import { addStatusRoutes, type StatusRoutesDependencies } from "./status-routes.ts";
import { addWriteRoutes } from "./write-routes.ts";

export interface MetricsRoutesDependencies
  extends StatusRoutesDependencies, Omit<AdminRoutesDependencies, "store"> {
  room: Pick<MetricsRoom, "store" | "state" | "api">;
}

/** Everything that is asked of the metrics store, and sent to it, from outside. */
export function addMetricsRoutes(http: Http, dependencies: MetricsRoutesDependencies): void {
  const { room, audit, db, clock, config, formBytes } = dependencies;
  const { store } = room;
  const bodyBytes = config.bodyLimit;
  addPushRoutes(http, { store, clock, bodyBytes });
  addWriteRoutes(http, { store, bodyBytes });
  addReadRoutes(http, { store, clock, config, bodyBytes: formBytes });
  addOtlpRoutes(http, { store, bodyBytes });
  addQueryRoutes(http, { api: room.api, formBytes });
  addStatusRoutes(http, dependencies);
  addRemoteWriteRoutes(http, { store });
  addAdminRoutes(http, { store, audit, db, formBytes });
}
