export { addUploadsRoutes } from "./routes.ts";
export { createUploads } from "./uploads.ts";
export type { Uploads } from "./uploads.ts";
