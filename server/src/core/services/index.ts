export { createReleaseKind } from "./release-kind.ts";
export { addServicesRoutes } from "./routes.ts";
export { createServices } from "./services.ts";
export type { Arrangement, NewRelease, Origin, Services } from "./services.ts";
export type { InstanceRow, ReleaseRow, ServiceRow, Target } from "./store.ts";
