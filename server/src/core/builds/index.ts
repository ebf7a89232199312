export { createBuilds, type Builds } from "./builds.ts";
export { addBuildsRoutes } from "./routes.ts";
export type { BuildRow } from "./store.ts";
