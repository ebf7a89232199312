export type { Collect } from "./collector.ts";
export { createReleaseKind } from "./release-kind.ts";
export { addReleasesRoutes } from "./release-routes.ts";
export { addServicesRoutes } from "./routes.ts";
export { createServices } from "./services.ts";
export type { Origin } from "./origin.ts";
export type { Arrangement, Services } from "./services.ts";
export type { InstanceRow, ReleaseRow, ServiceRow, Target } from "./store.ts";
