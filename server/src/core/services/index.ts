export { createReleaseKind } from "./release-kind.ts";
export { addServicesRoutes } from "./routes.ts";
export { createServices, partOf } from "./services.ts";
export type { Arrangement, NewRelease, Origin, Part, Services } from "./services.ts";
export type { InstanceRow, ReleaseRow, ServiceRow, Target } from "./store.ts";
